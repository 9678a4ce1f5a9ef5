#include "history/journal_place.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "sql/quote.h"

enum { HASH_DIGITS = 8 };

void journal_own_schema(const char *ledger_schema, char out[IDENTIFIER_SIZE])
{
    static const char prefix[] = JOURNAL_SHARED "_";
    size_t room = IDENTIFIER_SIZE - sizeof prefix;
    size_t length = strlen(ledger_schema);
    char hash[SHA256_HEX_SIZE];
    size_t kept = 0;

    if (length <= room) {
        (void)snprintf(out, IDENTIFIER_SIZE, "%s%s", prefix, ledger_schema);
        return;
    }
    sha256_of(slice_of(ledger_schema), hash);
    while (kept < length) {
        size_t next = utf8_length(ledger_schema + kept, length - kept);

        next = next == 0 ? 1 : next;
        if (kept + next > room - HASH_DIGITS - 1)
            break;
        kept += next;
    }
    (void)snprintf(out, IDENTIFIER_SIZE, "%s%.*s_%.*s", prefix, (int)kept, ledger_schema, HASH_DIGITS, hash);
}

static bool is_good(const struct journal_place *place, unsigned tables)
{
    return place->exists && place->is_trusted && place->is_usable &&
           ((place->tables != 0 && (place->tables & tables) == tables) || place->may_create);
}

int journal_choose(const struct journal_place places[PLACES], unsigned tables, bool may_create)
{
    for (int i = 0; i < PLACES; i++) {
        if (is_good(&places[i], tables))
            return i;
    }
    if (!may_create)
        return PLACES;
    if (!places[PLACE_SHARED].exists)
        return PLACE_SHARED;
    return places[PLACE_OWN].exists ? PLACES : PLACE_OWN;
}

/* The text with quoted names: %s in it is the schema, %r the role, %d the database. */
static void add_filled(const char *text, const char *schema, const char *role, const char *database,
                       struct text *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (at[0] != '%')
            text_add(out, at, 1);
        else
            quote_identifier(*++at == 's' ? schema : *at == 'r' ? role : database, out);
    }
}

void journal_add_remedy(const struct journal_place places[PLACES], const char *own, const char *role,
                        const char *database, struct text *out)
{
    const char *missing = !places[PLACE_SHARED].exists ? JOURNAL_SHARED
                          : !places[PLACE_OWN].exists  ? own
                                                       : NULL;

    if (missing != NULL)
        add_filled(
            "As the database's owner or a superuser: GRANT CREATE ON DATABASE %d TO %r; or, as a superuser: "
            "CREATE SCHEMA %s AUTHORIZATION %r;",
            missing, role, database, out);
    else if (places[PLACE_OWN].is_trusted)
        add_filled(
            "As its owner or a superuser: GRANT ALL ON SCHEMA %s TO %r; GRANT ALL ON ALL TABLES IN SCHEMA "
            "%s TO %r;",
            own, role, database, out);
    else
        add_filled(
            "As a superuser: ALTER SCHEMA %s RENAME TO tidelock_of_another; CREATE SCHEMA %s AUTHORIZATION "
            "%r;",
            own, role, database, out);
}

#include "history/journal_place.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

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

static bool is_good(const struct journal_place *place, int tables)
{
    return place->exists && place->is_trusted && place->is_usable &&
           (place->tables == tables || place->may_create);
}

int journal_choose(const struct journal_place places[PLACES], int tables, bool may_create)
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

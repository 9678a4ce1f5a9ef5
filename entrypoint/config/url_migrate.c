#include "config/url_migrate.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/url_parts.h"

enum { NAMES_MOST = 2 };

/* The spellings of Go. */
static bool flag_parse(const char *text, bool *out)
{
    static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
    static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

    for (size_t i = 0; i < array_length(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *out = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* "table", or "schema"."table". The names are as they are: a quote cannot be in them. */
static bool split(struct arena *arena, const char *text, const char *names[NAMES_MOST], size_t *count)
{
    for (*count = 0; *count < NAMES_MOST; text++) {
        size_t length = text[0] == '"' ? strcspn(text + 1, "\"") : 0;

        if (length == 0 || text[1 + length] != '"')
            return false;
        names[(*count)++] = arena_copy(arena, text + 1, length);
        text += length + 2;
        if (text[0] == '\0')
            return true;
        if (text[0] != '.')
            return false;
    }
    return false;
}

static bool take_quoted(struct arena *arena, const char *table, struct endpoint *out, struct error *err)
{
    const char *names[NAMES_MOST] = { NULL };
    size_t count;

    if (!split(arena, table, names, &count))
        return url_refuse(err,
                          "its x-migrations-table is not quoted, though x-migrations-table-quoted says so",
                          "Write x-migrations-table=\"schema\".\"table\" (a quote may be %22).");
    out->ledger_table = names[count - 1];
    out->ledger_schema = count > 1 ? names[0] : NULL;
    return true;
}

bool url_migrate_take(struct arena *arena, const char *const values[MIGRATE_PARAMETERS], struct endpoint *out,
                      struct error *err)
{
    const char *table = values[MIGRATE_TABLE];
    const char *quoted = values[MIGRATE_TABLE_QUOTED];
    bool is_quoted = false;

    out->search_path = values[MIGRATE_SEARCH_PATH];
    out->lock_table = values[MIGRATE_LOCK_TABLE];
    if (values[MIGRATE_LIMIT] != NULL)
        log_warn("x-statement-timeout in the database URL is ignored: --migration-timeout limits a script");
    if (quoted != NULL && quoted[0] != '\0' && !flag_parse(quoted, &is_quoted))
        return url_refuse(err, "the parameter \"x-migrations-table-quoted\" must be true or false",
                          "Write x-migrations-table-quoted=true.");
    if (table == NULL || table[0] == '\0')
        return true;
    if (is_quoted)
        return take_quoted(arena, table, out, err);
    out->ledger_table = table;
    return true;
}

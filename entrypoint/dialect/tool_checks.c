#include "dialect/tool_checks.h"

#include <string.h>

const struct own_file NO_OWN_FILES[] = { { NULL, NULL, NULL } };

void tool_checksum_of(struct slice script, char out[CHECKSUM_SIZE])
{
    sha256_of(script, out);
}

bool tool_checksum_matches(const char *stored, struct slice script)
{
    char checksum[SHA256_HEX_SIZE];

    sha256_of(script, checksum);
    return stored == NULL || strcmp(stored, checksum) == 0;
}

static bool refuse(struct error *err)
{
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "See all names and states: tidelock status --all");
}

bool tool_check_applied(const struct ledger_row *rows, size_t count, const char *name, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) != 0 || !rows[i].is_finished)
            continue;
        error_set(err, ERROR_REFUSED, "migration \"%s\" is already recorded as applied", name);
        return refuse(err);
    }
    return true;
}

bool tool_check_rolled_back(const struct ledger_row *rows, size_t count, const char *name, struct error *err)
{
    bool is_known = false;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        if (!rows[i].is_finished && !rows[i].is_rolled_back)
            return true;
        is_known = true;
    }
    error_set(err, ERROR_REFUSED,
              is_known ? "migration \"%s\" has not failed"
                       : "migration \"%s\" was never applied to this database",
              name);
    return refuse(err);
}

bool tool_check_pending(const struct ledger_row *rows, size_t count, const char *name, struct error *err)
{
    (void)rows;
    (void)count;
    error_set(err, ERROR_REFUSED,
              "nobody can tell whether \"%s\" has run or was only recorded: its ledger does not say", name);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "If it has not run, delete its row from the ledger.");
}

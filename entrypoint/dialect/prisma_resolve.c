#include "dialect/prisma_resolve.h"

#include <string.h>

bool prisma_resolve_check_applied(const struct ledger_row *rows, size_t count, const char *name,
                                  struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) != 0 || !rows[i].is_finished)
            continue;
        error_set(err, ERROR_REFUSED, "migration \"%s\" is already recorded as applied", name);
        error_code(err, "P3008");
        error_holds(err, "Its ledger row is marked as finished%s. Nothing was changed.",
                    rows[i].is_rolled_back ? " and as rolled back" : "");
        return error_hint(err, "See what is pending: tidelock status");
    }
    return true;
}

/* It has no row that could be changed. Returns false. */
static bool refuse_name(const char *name, bool is_known, struct error *err)
{
    error_set(err, ERROR_REFUSED,
              is_known ? "migration \"%s\" has not failed"
                       : "migration \"%s\" was never applied to this database",
              name);
    error_code(err, is_known ? "P3012" : "P3011");
    error_holds(err, "Nothing was changed.");
    return error_hint(
        err, is_known ? "To see what it is: tidelock status --all. To undo what is applied: tidelock rollback"
                      : "See all names and states: tidelock status --all");
}

bool prisma_resolve_check_rolled_back(const struct ledger_row *rows, size_t count, const char *name,
                                      struct error *err)
{
    bool is_known = false;
    bool is_applied = false;
    bool has_failed = false;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        if (!rows[i].is_finished && !rows[i].is_rolled_back)
            return true;
        is_known = true;
        is_applied |= rows[i].is_finished && !rows[i].is_rolled_back;
        has_failed |= !rows[i].is_finished;
    }
    /* What failed before it was applied is of no concern any more. */
    return (has_failed && !is_applied) || refuse_name(name, is_known, err);
}

bool prisma_resolve_check_pending(const struct ledger_row *rows, size_t count, const char *name,
                                  struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return true;
    }
    return refuse_name(name, false, err);
}

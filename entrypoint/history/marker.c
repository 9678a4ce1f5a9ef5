#include "history/marker.h"

#include <string.h>

static bool is_applied(const struct ledger *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].is_finished && strcmp(ledger->rows[i].name, name) == 0)
            return true;
    }
    return false;
}

bool marker_check(const struct ledger *ledger, const struct migration *migration,
                  const struct migration *after, const char **anchor, struct error *err)
{
    const struct folder *folder = ledger->folder;
    const struct migration *at = after == NULL ? folder->items : after + 1;

    *anchor = ledger_anchor(ledger, migration, after);
    while (at < migration && is_applied(ledger, at->name))
        at++;
    if (!ledger->dialect->is_marker || at >= migration)
        return true;
    error_set(err, ERROR_REFUSED,
              "migration \"%s\" cannot be recorded as applied: \"%s\" before it is not applied",
              migration->name, at->name);
    error_detail(err, "The ledger of %s holds one version: all up to it counts as applied.",
                 folder->dialect->tool);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "To record all up to it: tidelock baseline --to \"%s\"", migration->name);
}

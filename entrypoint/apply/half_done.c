#include "apply/half_done.h"

#include "base/memory.h"
#include "execution/presence.h"
#include "sql/session_statement.h"

/* What one of the first statements creates, a later one of them may have taken away, or the one behind them,
 * which may have been run when the answer was lost. */
static bool takes_away(const struct execution *execution, size_t done)
{
    static const char *const words[] = { "drop", "rename", "set schema", "execute", "do", "call" };
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    struct error ignored;

    for (size_t i = 0; i <= done && script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT; i++) {
        for (size_t j = 0; j < array_length(words); j++) {
            if (session_statement_mentions(execution_text(execution, &statement), words[j]))
                return true;
        }
    }
    return false;
}

bool half_done_check(const struct execution *execution, struct error *err)
{
    const char *name = execution->migration->name;
    const size_t done = (size_t)execution->unfinished->steps;
    struct presence found;

    if (execution->ledger->dialect->keeps_attempts || execution->mode == MODE_BACKFILL || done == 0 ||
        takes_away(execution, done) || !presence_find_first(execution, done, &found) ||
        found.there == found.count)
        return true;
    error_set(err, ERROR_REFUSED, "migration \"%s\" was half applied, and part of that is gone: %s", name,
              found.absent);
    error_code(err, execution->ledger->dialect->codes.unresolved);
    error_cause(err, CAUSE_UNRESOLVED);
    error_holds(err, "%zu of the first %zu statements' objects are there. Nothing was changed.", found.there,
                done);
    return error_hint(
        err,
        "Somebody has undone it, by hand or with %s. Undo the rest of it, and type: tidelock resolve "
        "--rolled-back \"%s\"; then deploy again.",
        execution->ledger->dialect->tool, name);
}

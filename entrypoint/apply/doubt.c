#include "apply/doubt.h"

#include "base/log.h"
#include "postgres/outcome.h"

static bool ask(const struct applying *applying, struct connection *conn, enum outcome *outcome,
                struct error *err)
{
    return outcome_ask(conn, applying->txid, outcome, err) ||
           error_context(err, "finding out whether %s was committed", applying->migration->name);
}

bool doubt_is_running(const struct applying *applying, struct connection *conn, bool *is_running,
                      struct error *err)
{
    enum outcome outcome;

    if (!ask(applying, conn, &outcome, err))
        return false;
    *is_running = outcome == OUTCOME_RUNNING;
    return true;
}

bool doubt_settle(struct applying *applying, struct connection *conn, bool has_row, bool *is_ours,
                  struct error *err)
{
    const char *name = applying->migration->name;
    enum outcome outcome;

    if (!ask(applying, conn, &outcome, err))
        return false;
    if (outcome != OUTCOME_FORGOTTEN && outcome != OUTCOME_ABORTED &&
        !(outcome == OUTCOME_COMMITTED && has_row)) {
        error_set(err, ERROR_REFUSED,
                  "ledger and server disagree about \"%s\": its transaction %s is %s, its row is %s", name,
                  applying->txid, OUTCOME_NAMES[outcome], has_row ? "there" : "missing");
        return error_hint(err, "Look at the ledger and at the schema before you deploy again.");
    }
    applying->is_in_doubt = false;
    *is_ours = has_row && outcome != OUTCOME_ABORTED;
    log_info("the answer to COMMIT of %s was lost: it was %s", name,
             *is_ours  ? "committed"
             : has_row ? "rolled back, and another process has applied it since"
                       : "rolled back");
    return true;
}

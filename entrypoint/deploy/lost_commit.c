#include "deploy/lost_commit.h"

#include "base/log.h"
#include "postgres/transaction_status.h"

static bool ask(const struct execution *execution, struct connection *conn,
                enum transaction_status *transaction_status, struct error *err)
{
    *transaction_status = TRANSACTION_FORGOTTEN;
    return execution->commit_doubt.is_elsewhere ||
           transaction_status_ask(conn, execution->commit_doubt.txid, transaction_status, err) ||
           error_context(err, "finding out whether %s was committed", execution->migration->name);
}

bool lost_commit_is_running(const struct execution *execution, struct connection *conn, bool *is_running,
                            struct error *err)
{
    enum transaction_status transaction_status;

    if (!ask(execution, conn, &transaction_status, err))
        return false;
    *is_running = transaction_status == TRANSACTION_RUNNING;
    return true;
}

bool lost_commit_settle(struct execution *execution, struct connection *conn, bool is_recorded, bool *is_ours,
                        struct error *err)
{
    const char *name = execution->migration->name;
    enum transaction_status transaction_status;

    if (!ask(execution, conn, &transaction_status, err))
        return false;
    if (transaction_status != TRANSACTION_FORGOTTEN && transaction_status != TRANSACTION_ABORTED &&
        !(transaction_status == TRANSACTION_COMMITTED && is_recorded)) {
        /* The result is known now, though not how to handle it. */
        execution->commit_doubt.is_in_doubt = false;
        error_set(err, ERROR_REFUSED,
                  "the ledger and the server disagree about \"%s\": its transaction %s is %s, its row is %s",
                  name, execution->commit_doubt.txid, TRANSACTION_STATUS_NAMES[transaction_status],
                  is_recorded != execution->migration->is_inverse ? "present" : "missing");
        return error_hint(err, "Check the ledger and the schema before you deploy again.");
    }
    execution->commit_doubt.is_in_doubt = false;
    *is_ours = is_recorded && transaction_status != TRANSACTION_ABORTED;
    log_info("the answer to COMMIT of %s was lost: it was %s", name,
             *is_ours      ? "committed"
             : is_recorded ? "rolled back, and another process has done the same since"
                           : "rolled back");
    return true;
}

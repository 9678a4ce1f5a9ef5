#include "deploy/new_ledger.h"

#include "history/other_ledger.h"

/* What else would have to be read under the lock: attempts of the journal, or what the tool has done since it
 * was looked at. What this run has changed before is compared with the ledger as it is read. */
static bool is_all_known(const struct deployment *d)
{
    const struct dialect *dialect = d->ledger.dialect;

    return d->pooling == POOLING_NONE && d->back == NULL && d->report->applied_count == 0 &&
           !d->execution.commit_doubt.is_in_doubt && dialect->needs_empty && dialect->keeps_attempts &&
           dialect->tool_keys_of == NULL && dialect->lease == NULL;
}

bool new_ledger_begin(struct deployment *d, struct error *err)
{
    if (d->ledger.exists || d->ledger.default_schema == NULL || !is_all_known(d))
        return true;
    return ledger_begin(d->look, d->conn, &d->ledger, err);
}

bool new_ledger_check(const struct deployment *d, struct error *err)
{
    if (!ledger_check_schema(d->conn, &d->ledger, d->endpoint->tenant_schema, err))
        return false;
    if (d->ledger.dialect->needs_empty)
        return ledger_check_empty(d->conn, &d->ledger, err);
    return d->config->is_unrelated_allowed || other_ledger_check(d->conn, &d->ledger, err);
}

/* Behind a pooler in transaction mode, in a transaction that holds the leader lock. Another process may have
 * created it meanwhile. */
static enum phase create_pooled(struct deployment *d, struct error *err)
{
    static const struct query commit = { .name = "commit", .sql = "COMMIT" };
    const enum phase next = deployment_lead_once(d, err);
    bool exists;

    if (next != PHASE_PREPARING)
        return next;
    if (ledger_exists(d->conn, &d->ledger, &exists, err) &&
        (exists || (new_ledger_check(d, err) && ledger_create(d->conn, &d->ledger, err))) &&
        query_run(d->conn, &commit, NULL, NULL, err))
        return PHASE_PREPARING;
    execution_roll_back(d->conn);
    return PHASE_FAILED;
}

enum phase new_ledger_create(struct deployment *d, struct error *err)
{
    if (d->pooling == POOLING_TRANSACTION)
        return create_pooled(d, err);
    return new_ledger_check(d, err) && ledger_create(d->conn, &d->ledger, err) ? PHASE_PREPARING
                                                                               : PHASE_FAILED;
}

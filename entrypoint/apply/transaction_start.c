#include "apply/transaction_start.h"

#include "apply/script_send.h"
#include "lock/beacon.h"
#include "lock/tool_lock.h"
#include "postgres/advisory.h"
#include "postgres/query.h"

void transaction_start_add(struct execution *execution, const struct transaction_head *head, struct text *sql)
{
    struct session_settings settings = execution->settings;

    execution->lock_wait.lock_timeout_ms = retry_lock_timeout_ms(
        &execution->lock_wait.retry, execution_wait_of(execution, script_is_all_data(execution)));
    settings.lock_timeout_ms = execution->lock_wait.lock_timeout_ms;
    settings.transaction_timeout_ms = execution_server_limit_ms(execution);

    if (execution->is_session_used && !execution->is_pooled)
        session_cleanup_add(sql);
    /* Of statements in one message, those before a BEGIN belong to its transaction (documentation, "Multiple
     * Statements in a Simple Query"), and may be queries; what follows a COMMIT is a new one. */
    if (head->statements > 0)
        text_add_string(sql, "BEGIN;COMMIT;");
    text_add_string(sql, execution->is_pooled ? "BEGIN ISOLATION LEVEL READ COMMITTED;" : "BEGIN;");
    session_settings_add(&settings, true, sql);
}

void transaction_start_add_facts(struct execution *execution, bool follows, struct text *sql)
{
    text_add_string(sql,
                    "SELECT pg_catalog.txid_current(),"
                    " EXTRACT(epoch FROM pg_catalog.clock_timestamp()), ");
    if (follows)
        text_add_string(sql, "1 OPERATOR(pg_catalog./) (");
    advisory_add_try(execution->ledger->lock_key, !execution->is_pooled, sql);
    if (execution->is_pooled)
        tool_lock_add(execution->ledger, sql);
    text_add_string(sql, follows ? ")::pg_catalog.int4, " : ", ");
    if (execution->is_pooled)
        beacon_add_local(execution->migration->name, sql);
    else
        beacon_add(execution->beacon, execution->migration->name, sql);
    text_add_string(sql, ";");
}

void transaction_start_add_time(struct execution *execution, struct text *sql)
{
    text_add_string(sql,
                    "SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp()),"
                    " 1 OPERATOR(pg_catalog./) (");
    advisory_add_try(execution->ledger->lock_key, !execution->is_pooled, sql);
    if (execution->is_pooled)
        tool_lock_add(execution->ledger, sql);
    text_add_string(sql, ")::pg_catalog.int4, " QUERY_FLUSH ", ");
    if (execution->is_pooled)
        beacon_add_local(execution->migration->name, sql);
    else
        beacon_add(execution->beacon, execution->migration->name, sql);
    text_add_string(sql, ";");
    if (!execution->is_pooled)
        beacon_lit(execution->beacon, execution->migration->name);
}

bool transaction_start(struct execution *execution, const struct transaction_head *head, size_t first,
                       struct text *sql, struct error *err)
{
    if (head->statements == 0)
        return true;
    if (!query_several(execution->conn, &(const struct query) { .name = "begin", .sql = sql->at }, NULL, 0,
                       err) ||
        !execution_send(execution, head->start, head->end, first, err))
        return false;
    text_reset(sql);
    return true;
}

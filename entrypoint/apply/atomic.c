#include "apply/atomic.h"

#include "base/log.h"
#include "base/memory.h"
#include "execution/assertion.h"
#include "lock/leader.h"
#include "postgres/query.h"
#include "repair/repair.h"

/* The end of the transaction. The order matters: deferred constraints and triggers fire while the script's
 * own settings and role are still in force; only then are these reset, since they would outlive the COMMIT
 * and could misdirect our INSERT; the leader lock is taken again (it counts), so that a script that called
 * pg_advisory_unlock_all() has not released it. Behind a pooler there is only the transaction's lock, which
 * no script can release. */
static const struct query COMMIT = { .name = "commit", .sql = "COMMIT" };

enum { CLOSING_ITEMS_MOST = RESETS_MOST + 4 };
/* The server's limit must come after ours: it ends the session. */
enum { TIMEOUT_GRACE_MS = 10 * 1000 };
enum { STARTED_SIZE = 40, SQL_MOST = 64 * 1024, PIECE_BYTES = 1024 * 1024 };

static bool is_all_data(const struct execution *execution)
{
    return execution->summary.data > 0 && execution->summary.data == execution->summary.statements;
}

/* Between the last look at the ledger and this lock, another process could have led: what is pending must be
 * checked again. In a separate statement, since a statement sees what was committed before it began. */
static bool check_overtaken(struct execution *execution, bool is_leader, const struct result *is_unchanged,
                            struct error *err)
{
    if (!execution->is_pooled)
        return is_leader || execution_lost_leader(err);
    execution->is_overtaken = !is_leader || !result_bool(is_unchanged, 0, 0);
    return !execution->is_overtaken ||
           error_set(err, ERROR_LEADER, "another process has led since this one last read the ledger");
}

/* BEGIN, the settings, and the facts: our transaction id, the time, and whether we lead. */
static bool begin(struct execution *execution, char started[STARTED_SIZE], struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *facts = NULL;
    auto_result struct result *is_unchanged = NULL;
    struct session_settings settings = execution->settings;
    struct result *results[2];
    bool has_begun;

    execution->lock_wait.lock_timeout_ms =
        retry_lock_timeout_ms(&execution->lock_wait.retry, is_all_data(execution) ? WAIT_ROWS : WAIT_TABLE);
    settings.lock_timeout_ms = execution->lock_wait.lock_timeout_ms;
    if (execution->timeout_ms > 0 && connection_server_version(execution->conn) >= 170000)
        settings.transaction_timeout_ms = deadline_left_ms(execution->until) + TIMEOUT_GRACE_MS;

    if (execution->is_session_used && !execution->is_pooled)
        session_cleanup_add(&sql);
    text_add_string(&sql, execution->is_pooled ? "BEGIN ISOLATION LEVEL READ COMMITTED;" : "BEGIN;");
    session_settings_add(&settings, true, &sql);
    text_add_string(&sql,
                    "SELECT pg_catalog.txid_current(),"
                    " EXTRACT(epoch FROM pg_catalog.clock_timestamp()), ");
    leader_add_try(execution->ledger->lock_key, &sql);
    text_add_string(&sql, ";");
    if (execution->is_pooled)
        ledger_add_unchanged(execution->ledger, &sql);
    has_begun = query_several(execution->conn, &(const struct query) { .name = "begin", .sql = sql.at },
                              results, array_length(results), err);
    facts = results[0];
    is_unchanged = results[1];
    if (!has_begun)
        return false;
    text_copy_cut(execution->commit_doubt.txid, sizeof execution->commit_doubt.txid,
                  result_text(facts, 0, 0));
    text_copy_cut(started, STARTED_SIZE, result_text(facts, 0, 1));
    return check_overtaken(execution, result_bool(facts, 0, 2), is_unchanged, err);
}

static bool commit(struct execution *execution, const char *started, struct error *err)
{
    const char *const row[ROW_VALUES] = { [ROW_ID] = execution->id,
                                          [ROW_CHECKSUM] = execution->checksum,
                                          [ROW_NAME] = execution->migration->name,
                                          [ROW_STARTED] = started };
    const char *parameters[ROW_VALUES];
    struct batch_item items[CLOSING_ITEMS_MOST];
    size_t count = 0;
    size_t failed;

    items[count++] = (struct batch_item) { .query = &SESSION_CONSTRAINTS };
    count += execution_add_resets(execution, items + count);
    if (!execution->is_pooled)
        items[count++] =
            (struct batch_item) { .query = &LEADER_KEEP, .parameters = &execution->ledger->lock_key };
    items[count++] = ledger_item(execution->ledger, LEDGER_INSERT_APPLIED, row, parameters);
    items[count++] = (struct batch_item) { .query = &COMMIT };
    if (query_batch(execution->conn,
                    &(const struct batch) { .items = items, .count = count, .failed = &failed }, err))
        return true;
    /* A session that is ended while it waits for a synchronous standby has nevertheless committed. */
    execution->commit_doubt.is_in_doubt = failed == count || err->class == ERROR_LOST;
    if (failed == 0 || failed + 1 == count) {
        err->contexts = 0;
        error_context(err, "checking deferred constraints and triggers at the end of the script");
    }
    return false;
}

/* What a statement waits for, after others in its transaction. */
static enum retry_wait wait_of(const struct statement *statement, bool has_locked)
{
    return statement->is_data && !has_locked ? WAIT_ROWS : WAIT_TABLE;
}

/* Sends a script in pieces of whole statements; inside our transaction the result is the same as in one. In
 * one message libpq would hold two copies of a large one, and the server would parse all of it before it ran
 * the first statement. Also, statements that wait for tables and those that wait for rows have different lock
 * timeouts. */
static bool send_pieces(struct execution *execution, struct error *err)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement = { .start = 0 };
    enum script_answer answer;
    enum retry_wait now = is_all_data(execution) ? WAIT_ROWS : WAIT_TABLE;
    bool has_locked = false;
    size_t start = 0;
    size_t first = 0;

    for (size_t number = 0; (answer = script_next(&reader, &statement, err)) == SCRIPT_STATEMENT; number++) {
        enum retry_wait wait = wait_of(&statement, has_locked);

        if (wait != now || statement.start - start > PIECE_BYTES) {
            if (number > first && !execution_send(execution, start, statement.start, first, err))
                return false;
            start = statement.start;
            first = number;
        }
        if (wait != now && !execution_set_lock_timeout(execution, wait, true, err))
            return false;
        now = wait;
        has_locked |= !statement.is_data;
    }
    return answer == SCRIPT_END &&
           execution_send_last(execution,
                               &(const struct piece) { start, execution->script.length, first,
                                                       execution->summary.statements - first },
                               err);
}

static bool send_script(struct execution *execution, struct error *err)
{
    bool is_mixed = execution->summary.data > 0 && !is_all_data(execution);

    if (is_mixed || execution->script.length > PIECE_BYTES)
        return send_pieces(execution, err);
    return execution_send_last(
        execution,
        &(const struct piece) { 0, execution->script.length, 0, execution->summary.statements }, err);
}

static bool run_script(struct execution *execution, struct error *err)
{
    if (!send_script(execution, err))
        return false;
    if (!connection_is_in_transaction(execution->conn)) {
        execution->failure.facts.has_escaped = true;
        return error_set(err, ERROR_PARTIAL, "migration \"%s\" ended the transaction that it ran in",
                         execution->migration->name);
    }
    return execution_may_go_on(execution, err) &&
           repair_verify(execution, 0, execution->script.length, err) && assertion_after(execution, err) &&
           execution_may_go_on(execution, err);
}

static bool run_watched(struct execution *execution, struct error *err)
{
    bool is_done;

    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
    is_done = run_script(execution, err);
    watch_stop(execution->watch);
    return is_done;
}

/* The script caused the failure and left nothing behind: record that in the ledger. If this cannot be
 * written, nothing changes for the caller. */
static void record_failure(const struct execution *execution, const char *started,
                           const struct error *failure)
{
    auto_text struct text logs = text_init(SQL_MOST);
    struct error err;

    execution_failure_text(failure, &logs);
    const char *const row[ROW_VALUES] = { [ROW_CHECKSUM] = execution->checksum,
                                          [ROW_NAME] = execution->migration->name,
                                          [ROW_STARTED] = started,
                                          [ROW_LOGS] = logs.at };
    if (!ledger_record_clean_failure(execution->conn, execution->ledger, row, &err))
        log_warn("could not record the failure in the ledger: %s", err.message);
}

bool atomic_apply(struct execution *execution, struct error *err)
{
    char started[STARTED_SIZE];

    random_uuid(execution->id);
    execution->commit_doubt.is_in_doubt = false;
    if (!begin(execution, started, err)) {
        execution_roll_back(execution->conn);
        return false;
    }
    execution->failure.facts.has_begun = true;
    if (run_watched(execution, err)) {
        if (commit(execution, started, err))
            return true;
        execution_failed_at(execution, execution->script.length, execution->summary.statements, 0, err);
    }
    if (connection_is_lost(execution->conn))
        return false;
    execution_roll_back(execution->conn);
    execution_judge(execution, err);
    if (err->class == ERROR_CLEAN)
        record_failure(execution, started, err);
    return false;
}

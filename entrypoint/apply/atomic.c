#include "apply/atomic.h"

#include "apply/guard.h"
#include "apply/repair.h"
#include "base/log.h"
#include "base/memory.h"
#include "lock/leader.h"
#include "postgres/query.h"

/* What ends the transaction. The order matters: deferred constraints and triggers fire while the script's own
 * settings and role are still in force; only then are these undone, since they would outlive the COMMIT and
 * could lead our INSERT astray; the leader lock is taken once more (it counts), so that a script that said
 * pg_advisory_unlock_all() has not given it away. Where no session is ours there is only the transaction's
 * lock, which no script can give away. */
static const struct query COMMIT = { .name = "commit", .sql = "COMMIT" };

enum { CLOSING_ITEMS_MOST = RESETS_MOST + 4 };
/* The server's own limit comes after ours: it ends the session. */
enum { TIMEOUT_GRACE_MS = 10 * 1000 };
enum { STARTED_SIZE = 40, SQL_MOST = 64 * 1024, PIECE_BYTES = 1024 * 1024 };

static bool is_all_data(const struct applying *applying)
{
    return applying->summary.data > 0 && applying->summary.data == applying->summary.statements;
}

/* Between the last look at the ledger and this lock anybody could have led: what is pending must be looked at
 * again. A statement of its own, since a statement sees what was committed before it began. */
static bool check_overtaken(struct applying *applying, bool is_leader, const struct result *is_unchanged,
                            struct error *err)
{
    if (!applying->is_pooled)
        return is_leader || applying_lost_leader(err);
    applying->is_overtaken = !is_leader || !result_bool(is_unchanged, 0, 0);
    return !applying->is_overtaken ||
           error_set(err, ERROR_LEADER, "another process has led since the last look at the ledger");
}

/* BEGIN, the settings, and the facts: our transaction id, the time, and whether we lead. */
static bool begin(struct applying *applying, char started[STARTED_SIZE], struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *facts = NULL;
    auto_result struct result *is_unchanged = NULL;
    struct session_settings settings = applying->settings;
    struct result *results[2];
    bool has_begun;

    applying->lock_timeout_ms =
        retry_lock_timeout_ms(&applying->retry, is_all_data(applying) ? WAIT_ROWS : WAIT_TABLE);
    settings.lock_timeout_ms = applying->lock_timeout_ms;
    if (applying->timeout_ms > 0 && connection_server_version(applying->conn) >= 170000)
        settings.transaction_timeout_ms = deadline_left_ms(applying->until) + TIMEOUT_GRACE_MS;

    if (applying->is_session_used && !applying->is_pooled)
        session_cleanup_add(&sql);
    text_add_string(&sql, applying->is_pooled ? "BEGIN ISOLATION LEVEL READ COMMITTED;" : "BEGIN;");
    session_settings_add(&settings, true, &sql);
    text_add_string(&sql,
                    "SELECT pg_catalog.txid_current(),"
                    " EXTRACT(epoch FROM pg_catalog.clock_timestamp()),"
                    " " LEADER_TRY_IN_TRANSACTION ";");
    if (applying->is_pooled)
        ledger_add_unchanged(applying->ledger, &sql);
    has_begun = query_several(applying->conn, "begin", sql.at, results, array_length(results), err);
    facts = results[0];
    is_unchanged = results[1];
    if (!has_begun)
        return false;
    text_copy_cut(applying->txid, sizeof applying->txid, result_text(facts, 0, 0));
    text_copy_cut(started, STARTED_SIZE, result_text(facts, 0, 1));
    return check_overtaken(applying, result_bool(facts, 0, 2), is_unchanged, err);
}

static bool commit(struct applying *applying, const char *started, struct error *err)
{
    const char *const row[] = { applying->id, applying->checksum, applying->migration->name, started };
    struct batch_item items[CLOSING_ITEMS_MOST];
    size_t count = 0;
    size_t failed;

    items[count++] = (struct batch_item) { .query = &SESSION_CONSTRAINTS };
    count += applying_add_resets(applying, items + count);
    if (!applying->is_pooled)
        items[count++] = (struct batch_item) { .query = &LEADER_KEEP };
    items[count++] =
        (struct batch_item) { .query = &applying->ledger->queries[LEDGER_INSERT_APPLIED], .parameters = row };
    items[count++] = (struct batch_item) { .query = &COMMIT };
    if (query_batch(applying->conn, items, count, NULL, &failed, err))
        return true;
    /* A session that is ended while it waits for a synchronous standby has committed all the same. */
    applying->is_in_doubt = failed == count || err->class == ERROR_LOST;
    if (failed == 0 || failed + 1 == count) {
        err->contexts = 0;
        error_context(err, "checking deferred constraints and triggers at the end of the script");
    }
    return false;
}

/* Sends a script in pieces of whole statements; inside our transaction the result is the same as in one. In
 * one message libpq would hold two copies of a large one, and the server would parse all of it before it ran
 * the first statement. And between statements that wait for tables and those that wait for rows, the time
 * they may wait changes. */
static bool send_pieces(struct applying *applying, struct error *err)
{
    struct script_reader reader = applying_reader(applying);
    struct statement statement = { .start = 0 };
    enum script_answer answer;
    bool is_data = is_all_data(applying);
    bool has_locked = false;
    size_t start = 0;
    size_t first = 0;

    for (size_t number = 0; (answer = script_next(&reader, &statement, err)) == SCRIPT_STATEMENT; number++) {
        bool is_change = statement.is_data != is_data;

        if (is_change || statement.start - start > PIECE_BYTES) {
            if (number > first && !applying_send(applying, start, statement.start, first, err))
                return false;
            start = statement.start;
            first = number;
        }
        if (is_change && !applying_set_lock_timeout(applying,
                                                    !statement.is_data ? WAIT_TABLE
                                                    : has_locked       ? WAIT_ROWS_AND_BLOCK
                                                                       : WAIT_ROWS,
                                                    true, err))
            return false;
        is_data = statement.is_data;
        has_locked |= !is_data;
    }
    return answer == SCRIPT_END && applying_send(applying, start, applying->script.length, first, err);
}

static bool send_script(struct applying *applying, struct error *err)
{
    bool is_mixed = applying->summary.data > 0 && !is_all_data(applying);
    size_t completed;

    if (is_mixed || applying->script.length > PIECE_BYTES)
        return send_pieces(applying, err);
    return query_script(applying->conn, applying->script.at, &completed, err) ||
           applying_failed_at(applying, 0, 0, completed, err);
}

static bool run_script(struct applying *applying, struct error *err)
{
    if (!send_script(applying, err))
        return false;
    if (!connection_is_in_transaction(applying->conn)) {
        error_set(err, ERROR_PARTIAL, "migration \"%s\" ended the transaction it ran in",
                  applying->migration->name);
        error_holds(err, "What the script did before that may persist; the ledger has no row for it.");
        return error_hint(
            err,
            "Look for COMMIT in functions that it calls; then: tidelock resolve --applied \"%s\", or undo "
            "what persists and deploy again.",
            applying->migration->name);
    }
    return applying_may_go_on(applying, err) && repair_verify(applying, 0, applying->script.length, err) &&
           guard_after(applying, err) && applying_may_go_on(applying, err);
}

static bool run_watched(struct applying *applying, struct error *err)
{
    bool is_done;

    watch_start(applying->watch, applying->conn, applying->ledger->backend_pid, true);
    is_done = run_script(applying, err);
    watch_stop(applying->watch);
    return is_done;
}

/* The failure was the script's own and left nothing: say so in the ledger. That this can't be written changes
 * nothing for the caller. */
static void record_failure(const struct applying *applying, const char *started, const struct error *failure)
{
    auto_text struct text logs = text_init(SQL_MOST);
    struct error err;

    applying_failure_text(failure, &logs);
    if (!ledger_record_clean_failure(applying->conn, applying->ledger, applying->migration->name,
                                     applying->checksum, started, logs.at, &err))
        log_warn("could not record the failure in the ledger: %s", err.message);
}

bool atomic_apply(struct applying *applying, struct error *err)
{
    char started[STARTED_SIZE];

    random_uuid(applying->id);
    applying->is_in_doubt = false;
    if (!begin(applying, started, err)) {
        applying_roll_back(applying->conn);
        return false;
    }
    if (run_watched(applying, err)) {
        if (commit(applying, started, err))
            return true;
        applying_failed_at(applying, applying->script.length, applying->summary.statements, 0, err);
    }
    if (connection_is_lost(applying->conn))
        return false;
    applying_roll_back(applying->conn);
    if (err->class == ERROR_CLEAN || err->class == ERROR_REFUSED) {
        err->class = ERROR_CLEAN;
        record_failure(applying, started, err);
    }
    return false;
}

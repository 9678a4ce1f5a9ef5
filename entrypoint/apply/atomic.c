#include "apply/atomic.h"

#include <string.h>

#include "apply/another_way.h"
#include "apply/script_send.h"
#include "apply/transaction_end.h"
#include "apply/transaction_start.h"
#include "base/log.h"
#include "base/memory.h"
#include "execution/assertion.h"
#include "execution/floor.h"
#include "execution/session_state.h"
#include "lock/beacon.h"
#include "lock/tool_lock.h"
#include "postgres/advisory.h"
#include "postgres/pooler.h"
#include "postgres/query.h"
#include "repair/repair.h"

/* The end of the transaction. The script's own settings and role are reset before our INSERT, which they
 * could misdirect, and since they would outlive the COMMIT. */
static const struct query COMMIT = { .name = "commit", .sql = "COMMIT" };

enum { CLOSING_ITEMS_MOST = REGAIN_MOST + 2 + LEDGER_ITEMS_MOST + FLOOR_ITEMS_MOST };
enum {
    STARTED_SIZE = 40,
    SQL_MOST = 64 * 1024,
    PIECE_BYTES = 1024 * 1024,
    SMALL_BYTES = 64 * 1024,
    BRIEF_MS = 1000
};

/* In the logs of the row of a migration that is undone. */
static const char REVERTED[] = LEDGER_OURS "it was rolled back by its inverse";

/* One try. */
struct attempt {
    struct transaction_head head;
    bool is_begun_with_script; /* in one message, see goes_with_begin() */
    bool has_begun;            /* the transaction is open, and in it the key is ours */
    char started[STARTED_SIZE];
    struct text before; /* pooled: what the session held, see pooler_add_look() */
};

/* Between the last look at the ledger and this lock, another process could have led: what is pending must be
 * checked again. In a separate statement, since a statement sees what was committed before it began. */
static bool check_overtaken(struct execution *execution, bool is_leader, const struct result *is_unchanged,
                            struct error *err)
{
    if (!execution->is_pooled)
        return is_leader || advisory_lost(err);
    execution->is_overtaken = !is_leader || !result_bool(is_unchanged, 0, 0);
    return !execution->is_overtaken ||
           error_set(err, ERROR_LEADER, "another process has led since this one last read the ledger");
}

static void read_facts(struct execution *execution, const struct result *facts, struct attempt *attempt)
{
    if (!execution->is_pooled)
        beacon_lit(execution->beacon, execution->migration->name);
    text_copy_cut(execution->commit_doubt.txid, sizeof execution->commit_doubt.txid,
                  result_text(facts, 0, 0));
    text_copy_cut(attempt->started, sizeof attempt->started, result_text(facts, 0, 1));
}

/* BEGIN, the settings, and the facts: our transaction id, the time, and whether we lead. */
static bool begin(struct execution *execution, struct attempt *attempt, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *facts = NULL;
    auto_result struct result *before = NULL;
    auto_result struct result *is_unchanged = NULL;
    struct result *results[3];
    bool has_begun;

    transaction_start_add(execution, &attempt->head, &sql);
    if (!transaction_start(execution, &attempt->head, 0, &sql, err))
        return false;
    if (execution->is_pooled && attempt->head.statements > 0)
        ledger_add_lock(execution->ledger, &sql);
    transaction_start_add_facts(execution, false, &sql);
    if (execution->is_pooled) {
        pooler_add_look(&sql);
        ledger_add_unchanged(execution->ledger, &sql);
    }
    /* A function that the script before called may have released what is put out. */
    connection_hush(execution->conn, true);
    has_begun = query_several(execution->conn, &(const struct query) { .name = "begin", .sql = sql.at },
                              results, array_length(results), err);
    connection_hush(execution->conn, false);
    facts = results[0];
    before = results[1];
    is_unchanged = results[2];
    if (!has_begun)
        return false;
    read_facts(execution, facts, attempt);
    if (before != NULL)
        text_add_string(&attempt->before, result_text(before, 0, 0));
    attempt->has_begun = check_overtaken(execution, result_bool(facts, 0, 2), is_unchanged, err) &&
                         session_state_begin(execution, err);
    execution->failure.facts.has_begun |= attempt->has_begun;
    return attempt->has_begun;
}

/* Says what the transaction was doing after the script: the ledger's items are those from `written` on, up to
 * the COMMIT. */
static void add_context(size_t failed, size_t written, size_t commits, struct error *err)
{
    if (failed >= written && failed < commits && err->class != ERROR_REFUSED) {
        err->contexts = 0;
        error_context(err, "writing its row of the ledger");
    } else if (failed == commits) {
        script_say_deferred(err);
    }
}

/* Whether our own writes wait so briefly for a locked ledger that nobody has to be able to cancel them. */
static bool is_brief(const struct execution *execution)
{
    return retry_lock_timeout_ms(&execution->lock_wait.retry, WAIT_TABLE) <= BRIEF_MS;
}

static bool commit(struct execution *execution, const struct attempt *attempt, struct error *err)
{
    const struct ledger *ledger = execution->ledger;
    const bool is_inverse = execution->migration->is_inverse;
    auto_text struct text release = text_init(8 * POOLER_LOOK_MOST);
    struct query releasing = { .name = "release" };
    const char *const row[ROW_VALUES] = { [ROW_ID] = execution->id,
                                          [ROW_CHECKSUM] = execution->checksum,
                                          ROW_OF_MIGRATION(execution->migration),
                                          [ROW_STARTED] = attempt->started,
                                          [ROW_LOGS] = REVERTED,
                                          [ROW_STORED] = is_inverse ? execution->checksum : NULL,
                                          [ROW_ANCHOR] = ledger->anchor[0] == '\0' ? NULL : ledger->anchor };
    struct ledger_parameters parameters;
    struct batch_item items[CLOSING_ITEMS_MOST];
    size_t count = 0;
    size_t written;
    size_t commits;
    size_t failed;

    count += execution_add_regain(execution, items + count);
    written = count;
    count += ledger_add_items(ledger, is_inverse ? LEDGER_REVERT : LEDGER_INSERT_APPLIED, row, &parameters,
                              items + count);
    count += execution_add_floor(execution, items + count);
    commits = count;
    items[count++] = (struct batch_item) { .query = &COMMIT };
    if (attempt->before.length > 0) {
        pooler_add_release(&attempt->before, &release);
        releasing.sql = release.at;
        items[count++] = (struct batch_item) { .query = &releasing };
    }
    if (ledger_batch(execution->conn, ledger,
                     &(const struct batch) { .items = items,
                                             .count = count,
                                             .cancellable = commits,
                                             .failed = &failed,
                                             .is_one_message = !execution->is_pooled && is_brief(execution) },
                     row, err))
        return true;
    if (failed > commits && failed < count) {
        log_warn("could not clean up the session behind the pooler: %s", err->message);
        return true;
    }
    /* A session that is ended while it waits for a synchronous standby has nevertheless committed. */
    execution->commit_doubt.is_in_doubt = failed == count || err->class == ERROR_LOST;
    add_context(failed, written, commits, err);
    err->position = 0; /* in a statement of ours */
    return false;
}

/* Whether the script is sent in the message that begins its transaction. Its text shows all that would need a
 * stop between them: only behind a pooler does what that answers decide. */
static bool goes_with_begin(const struct execution *execution, const struct transaction_head *head)
{
    return !execution->is_pooled && head->statements == 0 && !execution_sends_guarded(execution) &&
           execution->script.length <= SMALL_BYTES && !script_changes_wait(execution);
}

/* The server reads a whole message before it runs any of it: a syntax error of the script's. */
static bool is_nothing_run(const struct execution *execution, const struct error *err)
{
    return !connection_is_lost(execution->conn) && !connection_is_in_transaction(execution->conn) &&
           err->class != ERROR_INTERRUPTED && strcmp(err->sqlstate, "57014") != 0;
}

/* In one message. If nothing of it was run, it is sent again in two: the failure of a script is found, and
 * recorded, in its transaction. */
static bool begin_with_script(struct execution *execution, struct attempt *attempt, struct error *err)
{
    const struct slice *script = &execution->script;
    size_t start = attempt->head.rest;
    auto_text struct text sql = text_init(script->length + 2 * SQL_MOST);
    auto_result struct result *facts = NULL;
    size_t before;
    size_t completed;
    bool is_done;

    transaction_start_add(execution, &attempt->head, &sql);
    transaction_start_add_facts(execution, true, &sql);
    before = utf8_count(sql.at, sql.length);
    text_add(&sql, script->at + start, script->length - start);
    text_add_format(&sql, "\n;%s", SESSION_CONSTRAINTS.sql);
    is_done = query_script_behind(execution->conn, sql.at, &facts, &completed, err);
    if (facts == NULL && is_nothing_run(execution, err))
        return begin(execution, attempt, err) && script_send(execution, &attempt->head, err);
    if (facts == NULL)
        return advisory_failed(err) || error_context(err, "running query begin");
    read_facts(execution, facts, attempt);
    execution->beacon->is_unknown |= execution->has_advisory;
    execution->failure.facts.has_begun = attempt->has_begun = true;
    if (is_done)
        return true;
    err->position -= err->position > before ? before : err->position;
    return script_fail_at_end(execution, start, 0, completed, err);
}

static bool run_script(struct execution *execution, struct attempt *attempt, struct error *err)
{
    if (!(attempt->is_begun_with_script ? begin_with_script(execution, attempt, err)
                                        : script_send(execution, &attempt->head, err)))
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

/* Up to the answer to COMMIT: what the script has locked stays locked until then. */
static bool run_watched(struct execution *execution, struct attempt *attempt, struct error *err)
{
    bool is_done;

    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
    execution_expect(execution, execution_wait_of(execution, script_is_all_data(execution)));
    is_done = run_script(execution, attempt, err);
    if (is_done) {
        /* Again: it looks at once, as the wait for the ledger is short. */
        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
        is_done =
            commit(execution, attempt, err) ||
            execution_failed_at(execution, execution->script.length, execution->summary.statements, 0, err);
    }
    watch_stop(execution->watch);
    return is_done;
}

/* The script caused the failure and left nothing behind: record that in the ledger. If this cannot be
 * written, nothing changes for the caller. */
static void record_failure(struct execution *execution, const char *started, const struct error *failure)
{
    static const struct query end = { .name = "commit", .sql = "COMMIT" };
    auto_text struct text logs = text_init(SQL_MOST);
    struct error err;

    execution_failure_text(failure, &logs);
    const char *const row[ROW_VALUES] = { [ROW_CHECKSUM] = execution->checksum,
                                          ROW_OF_MIGRATION(execution->migration),
                                          [ROW_STARTED] = started,
                                          [ROW_LOGS] = logs.at };
    if (execution_begin_own(execution, &err) &&
        ledger_record_clean_failure(execution->conn, execution->ledger, row, &err) &&
        query_run(execution->conn, &end, NULL, NULL, &err))
        return;
    log_warn("could not record the failure in the ledger: %s", err.message);
    execution_roll_back(execution->conn);
}

/* The failure of a try that others have begun. */
static bool take_early(struct execution *execution, struct attempt *attempt, struct error *err)
{
    const struct early_failure *early = execution->early;

    execution->early = NULL;
    execution->failure.facts.has_begun = attempt->has_begun = true;
    text_copy_cut(attempt->started, sizeof attempt->started, early->started);
    text_add_string(&attempt->before, early->held);
    execution->lock_wait.lock_timeout_ms = early->lock_timeout_ms;
    *err = early->err;
    return script_fail_at_end(execution, attempt->head.rest, 0, early->completed, err);
}

static bool try(struct execution *execution, struct attempt *attempt, struct error *err)
{
    if (execution->early != NULL)
        return take_early(execution, attempt, err);
    attempt->is_begun_with_script = goes_with_begin(execution, &attempt->head);
    return (attempt->is_begun_with_script || begin(execution, attempt, err)) &&
           run_watched(execution, attempt, err);
}

static bool apply(struct execution *execution, struct attempt *attempt, struct error *err)
{
    if (try(execution, attempt, err))
        return true;
    if (!attempt->has_begun) {
        transaction_roll_back(execution, &attempt->before);
        return false;
    }
    if (!execution_revive(execution, err))
        return false;
    transaction_roll_back(execution, &attempt->before);
    execution_judge(execution, err);
    if (err->class == ERROR_CLEAN && !execution->migration->is_inverse &&
        !another_way_for_script(execution, err))
        record_failure(execution, attempt->started, err);
    return false;
}

bool atomic_apply(struct execution *execution, struct error *err)
{
    struct attempt attempt = {
        .head = transaction_head_of(execution_reader(execution), 0, execution->script.length),
        .before = text_init(POOLER_LOOK_MOST),
    };
    bool is_applied;

    if (execution->migration->is_inverse)
        text_copy_cut(execution->id, sizeof execution->id, execution->applied->id);
    else
        ledger_make_id(execution->ledger, execution->migration->key, execution->id);
    execution->commit_doubt.is_in_doubt = false;
    is_applied = execution_prepare_floor(execution, err) && apply(execution, &attempt, err);
    text_clear(&attempt.before);
    memory_free(execution->baseline);
    execution->baseline = NULL;
    return is_applied;
}

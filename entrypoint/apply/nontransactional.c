#include "apply/nontransactional.h"

#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "execution/checkpoint.h"
#include "execution/lock_retry.h"
#include "history/journal.h"
#include "postgres/query.h"
#include "repair/repair.h"

/* A timeout in the middle of a CONCURRENTLY would leave an INVALID index: only our own for the whole
 * migration applies. */
static bool suspend_timeouts(struct execution *execution, struct result **before, struct error *err)
{
    return query_several(
        execution->conn,
        &(const struct query) {
            .name = "suspend_timeouts",
            .sql = "SELECT pg_catalog.current_setting('lock_timeout'), "
                   "pg_catalog.current_setting('statement_timeout'),"
                   " pg_catalog.current_setting('transaction_timeout', true);"
                   "SET lock_timeout = 0;SET statement_timeout = 0;"
                   "SELECT CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL"
                   "            THEN pg_catalog.set_config('transaction_timeout', '0', false) END" },
        before, 1, err);
}

static void restore_timeouts(struct execution *execution, const struct result *before)
{
    static const struct query restore = {
        .name = "restore_timeouts",
        .parameters = 3,
        .sql =
            "SELECT pg_catalog.set_config('lock_timeout', $1, false),"
            " pg_catalog.set_config('statement_timeout', $2, false),"
            " CASE WHEN $3::pg_catalog.text IS NOT NULL"
            " THEN pg_catalog.set_config('transaction_timeout', $3, false) "
            "END",
    };
    const char *const parameters[] = { result_text(before, 0, 0), result_text(before, 0, 1),
                                       result_is_null(before, 0, 2) ? NULL : result_text(before, 0, 2) };
    struct error ignored;

    if (!connection_is_lost(execution->conn) &&
        !query_run(execution->conn, &restore, parameters, NULL, &ignored))
        log_debug("could not restore the timeouts: %s", ignored.message);
}

struct attempt {
    bool is_again;        /* an earlier one may have left something */
    struct intent intent; /* what was recorded for it */
    bool was_sent;        /* tells a failure of the statement itself from other failures */
    bool is_undone;       /* it failed, and is proven to have committed nothing */
};

static bool is_committing(const struct segment *segment)
{
    return segment->nontransactional.nontransactional == NONTRANSACTIONAL_COMMITTING;
}

static void note_committed(struct execution *execution, const struct segment *segment)
{
    char what[96];

    (void)snprintf(what, sizeof what, "whatever statement %zu committed before it was stopped",
                   segment->first + 1);
    execution_note_leftover(execution, LEFTOVER_COMMITTED, what, "");
}

/* The transactions of this session so far, this one included: the server numbers them (documentation,
 * "pg_locks", virtualtransaction). */
static bool count_transactions(struct execution *execution, int64_t *out, struct error *err)
{
    static const struct query count = {
        .name = "count_transactions",
        .sql =
            "SELECT pg_catalog.split_part(l.virtualtransaction, '/', 2) FROM pg_catalog.pg_locks AS l"
            " WHERE l.locktype OPERATOR(pg_catalog.=) 'virtualxid'"
            " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()",
    };
    auto_result struct result *result = NULL;

    if (!query_run(execution->conn, &count, NULL, &result, err))
        return false;
    *out = result_number(result, 0, 0);
    return true;
}

/* A statement that may commit and failed in its first transaction has committed nothing. */
static bool send_committing(struct execution *execution, const struct segment *segment,
                            struct attempt *attempt, struct error *err)
{
    struct error ignored;
    int64_t before;
    int64_t after;

    if (!count_transactions(execution, &before, err))
        return false;
    attempt->was_sent = true;
    if (execution_send(execution, segment->start, segment->end, segment->first, err))
        return true;
    attempt->is_undone = !connection_is_lost(execution->conn) &&
                         count_transactions(execution, &after, &ignored) && after == before + 2;
    return false;
}

/* Without an intent, a run that follows a kill would run it again without knowing. */
static bool check_intent(const struct execution *execution, const struct segment *segment,
                         const struct intent *intent, struct error *err)
{
    if (!is_committing(segment) || intent->is_known)
        return true;
    error_set(err, ERROR_CLEAN,
              "this statement commits by itself, and it could not be recorded that it is about to run");
    execution_point(execution, segment->start, err);
    return error_hint(err, "GRANT CREATE ON DATABASE to this role, for the schema \"tidelock\".");
}

/* True if it should be retried. */
static bool recover_committing(struct execution *execution, const struct segment *segment,
                               const struct attempt *attempt, struct error *err)
{
    const char *id = execution->id;
    struct error ignored;

    if (attempt->is_undone && query_run(execution->conn, &JOURNAL_FORGET[0], &id, NULL, &ignored))
        return lock_retry(execution, err);
    note_committed(execution, segment);
    return false;
}

/* After a signal there are only seconds left to clean up; the next run, which finds the intent, cleans up the
 * rest. True if it should be retried. */
static bool recover(struct execution *execution, const struct segment *segment, const struct attempt *attempt,
                    struct error *err)
{
    const struct broken broken = repair_broken(execution, &segment->nontransactional);
    const struct intent *intent = &attempt->intent;
    struct leftover left;
    struct error why;
    bool is_clear;

    if (connection_is_lost(execution->conn))
        return false;
    if (is_committing(segment))
        return recover_committing(execution, segment, attempt, err);
    if (err->class == ERROR_INTERRUPTED &&
        !query_several(
            execution->conn,
            &(const struct query) { .name = "short_timeout", .sql = "SET statement_timeout = '2s'" }, NULL, 0,
            &why))
        is_clear = leftover_unknown(&left, intent, &why);
    else
        is_clear = repair_after(&broken, intent, &left);
    if ((is_clear || left.is_ours) && lock_retry(execution, err))
        return true;
    if (!is_clear)
        execution_note_leftover(execution, left.is_ours ? LEFTOVER_OURS : LEFTOVER_PERSON, left.what,
                                left.remedy);
    return false;
}

/* Sends it, with its intent committed. */
static bool send(struct execution *execution, const struct segment *segment, struct attempt *attempt,
                 struct error *err)
{
    if (is_committing(segment))
        return send_committing(execution, segment, attempt, err);
    attempt->was_sent = true;
    return execution_send(execution, segment->start, segment->end, segment->first, err);
}

static bool try_once(struct execution *execution, const struct segment *segment, struct attempt *attempt,
                     struct error *err)
{
    const struct journal journal = execution_journal(execution);
    const struct broken broken = repair_broken(execution, &segment->nontransactional);
    auto_intent struct intent former = { .is_known = false };
    auto_free char *sql = memory_copy(execution->script.at + segment->start, segment->end - segment->start);
    char prefix[SHA256_HEX_SIZE];

    if (attempt->is_again && !journal_read(&journal, execution->id, segment->first, &former, err))
        return false;
    switch (repair_before(&broken, &former, err)) {
    case REPAIR_RUN:
        break;
    case REPAIR_DONE:
        log_info("statement %zu was already done when the earlier run was interrupted", segment->first + 1);
        return checkpoint_record(execution, segment->first + segment->count, err);
    case REPAIR_REFUSED:
        if (is_committing(segment))
            note_committed(execution, segment);
        else
            execution_note_leftover(execution, LEFTOVER_PERSON, "", "");
        return false;
    case REPAIR_ERROR:
        return false;
    }
    if (!execution_hash_prefix(execution, segment->first, prefix, err) ||
        !journal_record(&journal,
                        &(const struct journal_entry) { execution->id, segment->first, prefix, sql },
                        &attempt->intent, err) ||
        !check_intent(execution, segment, &attempt->intent, err) || !send(execution, segment, attempt, err))
        return false;
    attempt->was_sent = false;
    return repair_verify(execution, segment->start, segment->end, err) &&
           checkpoint_record(execution, segment->first + segment->count, err);
}

/* Runs it once; leftovers are cleaned up or left to the next attempt. *is_worth_another says whether there
 * should be one.
 * */
static bool run_once(struct execution *execution, const struct segment *segment, bool is_again,
                     bool *is_worth_another, struct error *err)
{
    const struct broken broken = repair_broken(execution, &segment->nontransactional);
    struct attempt attempt = { .is_again = is_again };
    bool is_done;

    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid,
                !repair_may_be_needed(&broken));
    is_done = try_once(execution, segment, &attempt, err);
    watch_stop(execution->watch);
    *is_worth_another = attempt.was_sent && !is_done && recover(execution, segment, &attempt, err);
    intent_free(&attempt.intent);
    return is_done;
}

bool nontransactional_run(struct execution *execution, const struct segment *segment, bool is_resuming,
                          struct error *err)
{
    const struct broken broken = repair_broken(execution, &segment->nontransactional);
    bool has_timeouts = !repair_may_be_needed(&broken);
    bool is_again = is_resuming;
    bool is_worth_another;
    bool is_done;

    execution->lock_wait.retry.tries = 0;
    do {
        auto_result struct result *before = NULL;

        if (!(has_timeouts ? execution_set_lock_timeout(execution, WAIT_TABLE, false, err)
                           : suspend_timeouts(execution, &before, err)))
            return false;
        is_done = run_once(execution, segment, is_again, &is_worth_another, err);
        if (!has_timeouts)
            restore_timeouts(execution, before);
        is_again = true;
    } while (!is_done && is_worth_another);
    return is_done;
}

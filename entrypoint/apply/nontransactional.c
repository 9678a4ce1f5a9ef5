#include "apply/nontransactional.h"

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

/* After a signal there are only seconds left to clean up; the next run, which finds the intent, cleans up the
 * rest. True if it should be retried. */
static bool recover(struct execution *execution, const struct segment *segment, const struct intent *intent,
                    struct error *err)
{
    const struct broken broken = repair_broken(execution, &segment->nontransactional);
    struct leftover left;
    struct error why;
    bool is_clear;

    if (connection_is_lost(execution->conn))
        return false;
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

struct attempt {
    bool is_again;        /* an earlier one may have left something */
    struct intent intent; /* what was recorded for it */
    bool was_sent;        /* tells a failure of the statement itself from other failures */
};

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
        execution_note_leftover(execution, LEFTOVER_PERSON, "", "");
        return false;
    case REPAIR_ERROR:
        return false;
    }
    if (!execution_hash_prefix(execution, segment->first, prefix, err) ||
        !journal_record(&journal,
                        &(const struct journal_entry) { execution->id, segment->first, prefix, sql },
                        &attempt->intent, err))
        return false;
    attempt->was_sent = true;
    if (!execution_send(execution, segment->start, segment->end, segment->first, err))
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
    *is_worth_another = attempt.was_sent && !is_done && recover(execution, segment, &attempt.intent, err);
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

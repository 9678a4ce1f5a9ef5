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
    auto_result struct result *found = NULL;

    if (!query_several(
            execution->conn,
            &(const struct query) {
                .name = "suspend_timeouts",
                .sql = "SELECT pg_catalog.current_setting('lock_timeout'), "
                       "pg_catalog.current_setting('statement_timeout'),"
                       " pg_catalog.current_setting('transaction_timeout', true);"
                       "SET lock_timeout = 0;SET statement_timeout = 0;"
                       "SELECT CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL"
                       "            THEN pg_catalog.set_config('transaction_timeout', '0', false) END" },
            &found, 1, err))
        return false;
    *before = steal(&found);
    return true;
}

/* One try. */
struct attempt {
    const struct segment *segment;
    bool is_again;           /* an earlier one may have left something */
    struct intent intent;    /* what was recorded for the statement */
    bool is_intent_read;     /* … is known */
    bool was_sent;           /* the statement itself, by this attempt */
    bool is_unclear;         /* something may be left over */
    bool is_undone;          /* it failed, and is proven to have committed nothing */
    struct result *timeouts; /* that are suspended; NULL = none are */
};

static void restore_timeouts(struct execution *execution, struct attempt *attempt)
{
    static const struct query restore = {
        .name = "restore_timeouts",
        .parameters = 3,
        .sql =
            "SELECT pg_catalog.set_config('lock_timeout', $1, false),"
            " pg_catalog.set_config('statement_timeout', $2, false),"
            " CASE WHEN $3::pg_catalog.text IS NOT NULL"
            "      THEN pg_catalog.set_config('transaction_timeout', $3, false) END",
    };
    auto_result struct result *before = steal(&attempt->timeouts);
    struct error ignored;

    if (before == NULL || connection_is_lost(execution->conn))
        return;
    const char *const parameters[] = { result_text(before, 0, 0), result_text(before, 0, 1),
                                       result_is_null(before, 0, 2) ? NULL : result_text(before, 0, 2) };
    if (!query_run(execution->conn, &restore, parameters, NULL, &ignored))
        log_debug("could not restore the timeouts: %s", ignored.message);
}

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
static bool send_committing(struct execution *execution, struct attempt *attempt, struct error *err)
{
    const struct segment *segment = attempt->segment;
    struct error ignored;
    int64_t before;
    int64_t after;

    if (!count_transactions(execution, &before, err))
        return false;
    attempt->was_sent = attempt->is_unclear = true;
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
    const struct journal journal = execution_journal(execution);
    struct error why;

    if (!is_committing(segment) || intent->is_known)
        return true;
    error_set(err, ERROR_CLEAN,
              "this statement commits by itself, and it could not be recorded that it is about to run");
    if (!journal_check(&journal, JOURNAL_USE_ALL, &why))
        error_hint(err, "%s", why.hint);
    return execution_point(execution, segment->start, err);
}

/* True if it should be retried. */
static bool recover_committing(struct execution *execution, const struct attempt *attempt, struct error *err)
{
    const char *id = execution->id;
    struct error ignored;

    if (attempt->is_undone && query_run(execution->conn, &JOURNAL_FORGET[0], &id, NULL, &ignored))
        return lock_retry(execution, err);
    note_committed(execution, attempt->segment);
    return false;
}

/* After a signal, or when a time is over, there are only seconds left to clean up, for which others who are
 * in the way may be in the way, too; the next run, which finds the intent, cleans up the rest. */
static bool hurry(struct execution *execution, const struct error *err, struct error *why)
{
    if (err->class != ERROR_INTERRUPTED && !deadline_passed(execution->until) &&
        !execution->watch->has_waited_out)
        return true;
    connection_cancel_at(execution->conn, deadline_never(), NULL);
    return query_several(
        execution->conn,
        &(const struct query) { .name = "short_timeout", .sql = "SET statement_timeout = '2s'" }, NULL, 0,
        why);
}

void nontransactional_note_earlier(struct execution *execution)
{
    execution_note_leftover(execution, LEFTOVER_OURS,
                            "possibly what an earlier attempt at this statement did",
                            "Check what the statement left behind");
}

/* What the statement left behind is cleaned up; what an earlier one left, whose removal has just failed, is
 * only looked for. True if there should be another attempt. */
static bool recover(struct execution *execution, struct attempt *attempt, struct error *err)
{
    struct broken broken = repair_broken(execution, &attempt->segment->nontransactional);
    struct leftover left;
    struct error why = *err;
    bool is_clear;

    if (connection_is_lost(execution->conn))
        return false;
    if (is_committing(attempt->segment))
        return recover_committing(execution, attempt, err);
    broken.may_only_look = !attempt->was_sent;
    if (!attempt->is_intent_read || !hurry(execution, err, &why))
        is_clear = leftover_unknown(&left, !attempt->is_intent_read || attempt->intent.is_known, &why);
    else
        is_clear = repair_after(&broken, &attempt->intent, &left);
    if ((is_clear || left.is_ours) && lock_retry(execution, err))
        return true;
    if (is_clear && !attempt->was_sent)
        nontransactional_note_earlier(execution);
    else if (!is_clear)
        execution_note_leftover(execution, left.is_ours ? LEFTOVER_OURS : LEFTOVER_PERSON, left.what,
                                left.remedy);
    return false;
}

/* Sends it, with its intent committed. */
static bool send(struct execution *execution, struct attempt *attempt, struct error *err)
{
    const struct segment *segment = attempt->segment;

    if (is_committing(segment))
        return send_committing(execution, attempt, err);
    attempt->was_sent = attempt->is_unclear = true;
    return execution_send(execution, segment->start, segment->end, segment->first, err);
}

/* That it is done is known to nobody else: a request to cancel it, which came too late, must not prevent that
 * this is recorded, and may hit one attempt at most. */
static bool record_done(struct execution *execution, struct attempt *attempt, struct error *err)
{
    size_t done = attempt->segment->first + attempt->segment->count;
    bool was_shielded = connection_shield(execution->conn, true);
    bool may_be_hit = !connection_forget_cancel(execution->conn);
    bool is_recorded;

    restore_timeouts(execution, attempt);
    is_recorded =
        checkpoint_record(execution, done, err) ||
        (may_be_hit && !connection_is_lost(execution->conn) && checkpoint_record(execution, done, err));
    connection_shield(execution->conn, was_shielded);
    execution->failure.facts.is_unrecorded = !is_recorded && is_committing(attempt->segment);
    return is_recorded;
}

/* Clears away what an earlier attempt left. *is_done: there is nothing else to do. */
static bool clear_earlier(struct execution *execution, struct attempt *attempt, bool *is_done,
                          struct error *err)
{
    const struct broken broken = repair_broken(execution, &attempt->segment->nontransactional);
    const struct journal journal = execution_journal(execution);

    *is_done = false;
    attempt->is_unclear = attempt->is_again;
    if (attempt->is_again &&
        !journal_read(&journal, execution->id, attempt->segment->first, &attempt->intent, err))
        return false;
    attempt->is_intent_read = true;
    switch (repair_before(&broken, &attempt->intent, err)) {
    case REPAIR_RUN:
        break;
    case REPAIR_DONE:
        log_info("statement %zu was already done when the earlier run was interrupted",
                 attempt->segment->first + 1);
        *is_done = true;
        break;
    case REPAIR_REFUSED:
        attempt->is_unclear = false;
        if (is_committing(attempt->segment))
            note_committed(execution, attempt->segment);
        else
            execution_note_leftover(execution, LEFTOVER_PERSON, "", "");
        return false;
    case REPAIR_ERROR:
        return false;
    }
    attempt->is_unclear = false;
    execution_note_leftover(execution, LEFTOVER_NOTHING, "", "");
    return true;
}

static bool try_once(struct execution *execution, struct attempt *attempt, struct error *err)
{
    const struct segment *segment = attempt->segment;
    const struct journal journal = execution_journal(execution);
    auto_free char *sql = memory_copy(execution->script.at + segment->start, segment->end - segment->start);
    char prefix[SHA256_HEX_SIZE];
    bool is_done;

    if (!clear_earlier(execution, attempt, &is_done, err))
        return false;
    if (!is_done) {
        intent_free(&attempt->intent);
        attempt->intent = (struct intent) { .is_known = false };
        if (!execution_hash_prefix(execution, segment->first, prefix, err) ||
            !journal_record(&journal,
                            &(const struct journal_entry) { execution->id, segment->first, prefix, sql },
                            &attempt->intent, err) ||
            !check_intent(execution, segment, &attempt->intent, err) || !send(execution, attempt, err))
            return false;
        attempt->is_unclear = false;
    }
    /* Whether or not that can be written down. */
    execution->course.done = segment->first + segment->count;
    execution->course.has_effect = true;
    return repair_verify(execution, segment->start, segment->end, err) &&
           record_done(execution, attempt, err);
}

static bool read_former(const struct execution *execution, const struct intent *intent, struct statement *out)
{
    struct script_reader reader =
        script_reader_of(execution->migration->script_path, slice_of(intent->sql == NULL ? "" : intent->sql),
                         connection_server_version(execution->conn), execution->ledger->has_standard_strings);
    struct error ignored;

    return intent->is_known && script_next(&reader, out, &ignored) == SCRIPT_STATEMENT &&
           out->kind == KIND_NONTRANSACTIONAL && out->nontransactional != NONTRANSACTIONAL_COMMITTING;
}

/* Then running it looks after what the former left. */
static bool is_still_there(const struct execution *execution, const struct intent *intent,
                           const struct statement *former, const struct statement *now)
{
    return now != NULL && (slice_equals(execution_text(execution, now), intent->sql) ||
                           (now->nontransactional == NONTRANSACTIONAL_CREATE_INDEX &&
                            former->nontransactional == now->nontransactional));
}

static bool refuse_former(struct execution *execution, const struct intent *intent, const char *how,
                          const struct leftover *left, struct error *err)
{
    char sql[160];

    text_copy_cut(sql, sizeof sql, intent->sql);
    error_set(
        err, ERROR_CLEAN,
        "an earlier run was interrupted in a statement that the script does not say there any more, and that %s: %s",
        how, sql);
    execution_note_leftover(execution, LEFTOVER_PERSON, left->what, left->remedy);
    return false;
}

static bool settle(struct execution *execution, const struct intent *intent, const struct statement *former,
                   struct error *err)
{
    struct broken broken = { .conn = execution->conn,
                             .path = execution->migration->script_path,
                             .script = slice_of(intent->sql),
                             .statement = former };
    struct leftover left = { .is_ours = false };

    switch (repair_before(&broken, intent, err)) {
    case REPAIR_RUN:
        broken.may_only_look = true;
        return repair_after(&broken, intent, &left) ||
               refuse_former(execution, intent, "left something behind", &left, err);
    case REPAIR_DONE:
        (void)refuse_former(execution, intent, "was completed", &left, err);
        return error_hint(err,
                          "Deploy the former script to go on behind it. Or, to run the script as it is now: "
                          "tidelock resolve --rolled-back \"%s\", then deploy again.",
                          execution->migration->name);
    case REPAIR_REFUSED:
        execution_note_leftover(execution, LEFTOVER_PERSON, "", "");
        return false;
    default:
        return false;
    }
}

/* Lets it wait for others, unless that takes all the time there is for attempts: no timeout of the server may
 * end it, nor may whom it blocks. */
static void watch_without_timeouts(struct execution *execution)
{
    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, false);
    watch_limit_wait(execution->watch, lock_retry_left_ms(execution));
}

bool nontransactional_settle(struct execution *execution, const struct intent *intent,
                             const struct statement *now, struct error *err)
{
    struct attempt attempt = { .segment = NULL };
    struct statement former;
    bool is_settled;

    if (!read_former(execution, intent, &former) || is_still_there(execution, intent, &former, now))
        return true;
    nontransactional_note_earlier(execution);
    if (!suspend_timeouts(execution, &attempt.timeouts, err))
        return false;
    watch_without_timeouts(execution);
    is_settled = settle(execution, intent, &former, err);
    watch_stop(execution->watch);
    restore_timeouts(execution, &attempt);
    if (is_settled)
        execution_note_leftover(execution, LEFTOVER_NOTHING, "", "");
    return is_settled;
}

/* Runs it once; leftovers are cleaned up or left to the next attempt. *is_worth_another says whether there
 * should be one. */
static bool run_once(struct execution *execution, struct attempt *attempt, bool *is_worth_another,
                     struct error *err)
{
    const struct broken broken = repair_broken(execution, &attempt->segment->nontransactional);
    bool is_done;

    if (repair_may_be_needed(&broken))
        watch_without_timeouts(execution);
    else
        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
    is_done = try_once(execution, attempt, err);
    watch_stop(execution->watch);
    *is_worth_another = attempt->is_unclear && !is_done && recover(execution, attempt, err);
    intent_free(&attempt->intent);
    restore_timeouts(execution, attempt);
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
    if (!lock_retry_look_first(execution, segment->first, segment->first + segment->count, err)) {
        if (is_again)
            nontransactional_note_earlier(execution);
        return false;
    }
    do {
        struct attempt attempt = { .segment = segment, .is_again = is_again };

        if (!(has_timeouts ? execution_set_lock_timeout(execution, WAIT_TABLE, false, err)
                           : suspend_timeouts(execution, &attempt.timeouts, err))) {
            if (is_again)
                nontransactional_note_earlier(execution);
            return false;
        }
        is_done = run_once(execution, &attempt, &is_worth_another, err);
        is_again = true;
    } while (!is_done && is_worth_another);
    return is_done;
}

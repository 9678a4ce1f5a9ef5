#include "backfill/backfill.h"

#include <stdio.h>
#include <string.h>

#include "backfill/explain.h"
#include "backfill/pace.h"
#include "backfill/throttle.h"
#include "backfill/walk.h"
#include "base/log.h"
#include "base/patience.h"
#include "base/signals.h"
#include "execution/assertion.h"
#include "execution/lock_retry.h"
#include "postgres/query.h"
#include "report/progress_line.h"
#include "sql/quote.h"

enum {
    /* Whoever works on the rows of a batch waits for it: one that takes much longer than its target is ended
     * and made smaller. Only the smallest may take its time. */
    PATIENT_FACTOR = 10,
    PATIENT_LEAST_MS = 5000,
    LIMIT_LEAST_MS = 10,
    TIMEOUTS_MOST = 5, /* of the smallest, in a row */
    MAX_BLOCKED_FOR_MS = 1000,
    THROTTLE_EVERY_MS = 1000,
    PAUSE_LEAST_MS = 1000,
    PAUSE_MOST_MS = 30 * 1000, /* the session must not be idle for a minute */
    PASSES_MOST = 5
};

struct backfill {
    struct execution *execution;
    const struct backfill_wish *wish;
    struct backfill_walk walk;
    struct pace pace;
    struct throttle throttle;
    struct deadline next_throttle;
    struct deadline rested; /* after the last batch */
    struct progress_line line;
    unsigned timeouts; /* in a row */
};

static void describe(const struct backfill *b, struct text *out)
{
    int64_t least_ms;
    int64_t most_ms;
    char least[32];
    char most[32];
    double done = backfill_walk_ratio(&b->walk);

    if (done >= 0)
        text_add_format(out, "%.0f %%, ", 100 * done);
    if (done >= 0 && pace_left(&b->pace, done, &least_ms, &most_ms))
        text_add_format(out, "%s to %s left, ", duration_text(least_ms, least, sizeof least),
                        duration_text(most_ms, most, sizeof most));
    text_add_format(out, "backfill of %s: %lld rows changed, %lld per batch", b->walk.plan.table.at,
                    (long long)b->walk.changed, (long long)b->pace.rows);
}

static void say_progress(struct backfill *b)
{
    struct progress *progress = b->execution->progress;
    auto_text struct text line = text_init(1024);

    progress->current_ratio = backfill_walk_ratio(&b->walk);
    progress->backfill_rows = b->walk.changed;
    progress->backfill_batch_rows = b->pace.rows;
    describe(b, &line);
    progress_line_show(&b->line, progress->current_ratio, line.at);
}

/* A batch of one row that waits for it keeps nobody from others. */
static struct walk_limits limits_of(const struct backfill *b)
{
    const struct retry *retry = &b->execution->lock_wait.retry;
    int64_t target_ms = b->wish->target_ms > LIMIT_LEAST_MS ? b->wish->target_ms : LIMIT_LEAST_MS;
    int64_t patient_ms = PATIENT_FACTOR * target_ms;
    struct walk_limits limits = { .lock_ms = retry_lock_timeout_ms(retry, WAIT_TABLE),
                                  .statement_ms = PACE_LIMIT * target_ms };

    if (pace_is_smallest(&b->pace))
        limits.statement_ms = patient_ms > PATIENT_LEAST_MS ? patient_ms : PATIENT_LEAST_MS;
    if (b->pace.rows > 1 && limits.lock_ms > target_ms)
        limits.lock_ms = target_ms;
    return limits;
}

/* After a batch was rolled back because it took too long. */
static bool may_repeat_smaller(struct backfill *b, struct error *err)
{
    if (!pace_is_smallest(&b->pace))
        b->timeouts = 0;
    else if (++b->timeouts >= TIMEOUTS_MOST) {
        error_message(err, "%d batches in a row took too long, even one of at most %lld rows", TIMEOUTS_MOST,
                      (long long)b->pace.rows);
        err->sqlstate[0] = '\0';
        return error_hint(
            err,
            "Find out why so few rows take so long (a trigger or an index, for example), then deploy again.");
    }
    pace_halve(&b->pace, (double)limits_of(b).statement_ms);
    return true;
}

/* After a batch was rolled back: whether a smaller one may succeed. One that meets a lock is halved at once,
 * down to the row that is locked; only that one waits and rests. */
static bool may_repeat(struct backfill *b, struct error *err)
{
    struct execution *execution = b->execution;
    bool is_timeout = strcmp(err->sqlstate, "57014") == 0 && err->class != ERROR_INTERRUPTED &&
                      !deadline_passed(execution->until);

    if (connection_is_lost(execution->conn) || (!is_timeout && err->class != ERROR_TABLE_LOCK))
        return false;
    if (is_timeout && !may_repeat_smaller(b, err))
        return false;
    if (!is_timeout && !pace_yield(&b->pace))
        return lock_retry(execution, err);
    connection_shield(execution->conn, false);
    return signals_sleep((long)b->wish->target_ms) || signals_error(err);
}

/* The reason to pause, if there is one; checked now and then. */
static bool find_reason(struct backfill *b, struct text *why, struct error *err)
{
    bool was_blind = b->throttle.is_blind;

    if (!execution_may_go_on(b->execution, err) || !throttle_look(&b->throttle, b->execution->conn, why, err))
        return false;
    if (b->throttle.is_blind && !was_blind)
        log_info(
            "cannot see how far the replicas lag (that needs pg_monitor): pausing longer after each batch");
    b->next_throttle = deadline_in(THROTTLE_EVERY_MS);
    if (why->length == 0 && pace_is_too_slow(&b->pace) && !b->execution->progress->is_throttled)
        text_add_format(why, "even %lld rows take longer than the target", (long long)b->pace.rows);
    return true;
}

/* Pauses as long as there is a reason. */
static bool throttle(struct backfill *b, struct error *err)
{
    struct progress *progress = b->execution->progress;
    struct patience patience = { .until = deadline_never() };
    int64_t pause_ms = PAUSE_LEAST_MS;

    while (deadline_passed(b->next_throttle)) {
        auto_text struct text why = text_init(1024);

        if (!find_reason(b, &why, err))
            return false;
        if (why.length == 0) {
            if (progress->is_throttled)
                log_info("the backfill continues");
            progress->is_throttled = false;
            return true;
        }
        if (patience_has_word(&patience, NULL))
            log_wait("the backfill is paused: %s", why.at);
        progress->is_throttled = true;
        if (!patience_pause(&patience, pause_ms, err))
            return false;
        pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
        b->next_throttle = deadline_in(0);
    }
    return true;
}

/* How long to rest after such a batch: longer if the replicas' lag is hidden. */
static int64_t rest_ms(const struct backfill *b, int64_t batch_ms)
{
    int64_t percent = b->throttle.is_blind ? 2 * b->wish->rest_percent + 100 : b->wish->rest_percent;
    int64_t ms = batch_ms * percent / 100;

    return ms < PAUSE_MOST_MS ? ms : PAUSE_MOST_MS;
}

static bool rest(const struct backfill *b, struct error *err)
{
    int64_t ms = deadline_left_ms(b->rested);

    return ms == 0 || signals_sleep((long)ms) || signals_error(err);
}

/* While it rests, the next one is chosen: that locks nothing. */
static bool run_batch(struct backfill *b, struct error *err)
{
    if (!backfill_walk_choose(&b->walk, b->pace.rows, err) || !rest(b, err) ||
        !backfill_walk_batch(&b->walk, limits_of(b), b->pace.rows, err))
        return false;
    b->rested = deadline_in(rest_ms(b, b->walk.batch_ms));
    return true;
}

static bool run_pass(struct backfill *b, struct error *err)
{
    while (!backfill_walk_is_over(&b->walk)) {
        int64_t before;
        double share = backfill_walk_ratio(&b->walk);

        if (!throttle(b, err) || !execution_may_go_on(b->execution, err))
            return false;
        before = clock_now_us();
        if (!run_batch(b, err)) {
            execution_roll_back(b->execution->conn);
            if (!may_repeat(b, err))
                return false;
            continue;
        }
        b->timeouts = 0;
        b->execution->lock_wait.retry.tries = 0;
        pace_steer(&b->pace, (double)b->walk.batch_ms);
        pace_note(&b->pace, backfill_walk_ratio(&b->walk) - share, (double)(clock_now_us() - before) / 1000);
        say_progress(b);
    }
    return true;
}

/* Runs a step that is not a batch, under the lock policy of every other statement. */
static bool run_step(struct backfill *b, bool (*step)(struct backfill *b, struct error *err),
                     struct error *err)
{
    struct execution *execution = b->execution;

    for (;;) {
        bool is_done;

        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
        is_done = execution_set_lock_timeout(execution, WAIT_TABLE, false, err) && step(b, err);
        watch_stop(execution->watch);
        if (is_done) {
            execution->lock_wait.retry.tries = 0;
            return true;
        }
        execution_roll_back(execution->conn);
        if (!lock_retry(execution, err))
            return false;
    }
}

static void add_column(const char *name, struct text *list)
{
    text_add_string(list, list->length == 0 ? "" : ", ");
    quote_identifier(name, list);
}

/* Outside a transaction block, so that each partition is unlocked when it is done. Who does not own the table
 * gets a warning of the server's. */
static bool analyze_columns(struct backfill *b, const struct text *list, struct error *err)
{
    auto_text struct text sql = text_init(2 * BACKFILL_SQL_MOST);

    text_add_format(&sql, "ANALYZE %s (%s)", b->walk.plan.table.at, list->at);
    return query_several(b->execution->conn, &(const struct query) { .name = "analyze", .sql = sql.at }, NULL,
                         0, err);
}

static bool analyze_changed(struct backfill *b, struct error *err)
{
    auto_text struct text list = text_init(BACKFILL_SQL_MOST);

    for (size_t i = 0; i < b->walk.plan.update.column_count; i++)
        add_column(b->walk.plan.update.columns[i], &list);
    return analyze_columns(b, &list, err);
}

static bool analyze_key(struct backfill *b, struct error *err)
{
    auto_text struct text list = text_init(BACKFILL_SQL_MOST);

    for (size_t i = 0; i < b->walk.plan.key.count; i++)
        add_column(b->walk.plan.key.list[i].name, &list);
    return analyze_columns(b, &list, err);
}

/* Old statistics of a column that had only one value mislead every plan that uses it. Only an autovacuum or
 * an index build would wait for this lock. */
static void analyze(struct backfill *b)
{
    struct error err;

    if (b->walk.changed == 0 || run_step(b, analyze_changed, &err))
        return;
    log_warn("could not analyze %s: %s", b->walk.plan.table.at, err.message);
    execution_roll_back_own(b->execution->conn);
}

static bool begin_again(struct backfill *b, struct error *err)
{
    return backfill_walk_again(&b->walk, err);
}

/* Whether it is complete: every row is done, and the script's verify condition is true. */
static bool verify(struct backfill *b, bool *is_complete, struct error *err)
{
    struct assertion assertion = { .expression = b->execution->directives.verify };

    *is_complete = true;
    return assertion.expression.length == 0 || assertion_ask(b->execution, &assertion, is_complete, err);
}

/* Another pass does the rows that were written meanwhile without the new column; a statement without a
 * condition would change all others again. */
static bool run_passes(struct backfill *b, struct error *err)
{
    bool has_condition = b->walk.plan.update.has_where;
    struct slice expression = b->execution->directives.verify;
    bool is_complete;

    for (int passes = 1;; passes++) {
        if (!run_pass(b, err) || !verify(b, &is_complete, err))
            return false;
        if (is_complete)
            return true;
        if (!has_condition || passes == PASSES_MOST)
            break;
        log_info("every row was visited, but the verify condition is not true: going over the table again");
        if (!run_step(b, begin_again, err))
            return false;
    }
    error_set(err, ERROR_CLEAN, "the backfill is complete, but its verify condition is not true: %.*s",
              (int)expression.length, expression.at);
    execution_point(b->execution, (size_t)(expression.at - b->execution->script.at), err);
    return error_hint(
        err,
        "Find out which rows are left and why (perhaps the application does not write the new column yet)%s",
        has_condition ? ", then deploy again to go over the table once more."
                      : ". With a condition in the UPDATE, it can go over the table again.");
}

/* What persists, for the error message: also of what follows the last batch. */
static void note_persisting(const struct backfill *b, bool is_done)
{
    struct failure_names *names = &b->execution->failure.names;
    auto_text struct text last = text_init(BACKFILL_SQL_MOST);

    if (b->walk.done.is_known)
        key_describe(&b->walk.done, &last);
    else
        text_add_string(&last, "the last");
    if (b->walk.batches > 0)
        (void)snprintf(names->persists, sizeof names->persists,
                       "%lld rows of %.400s are changed, in %lld batch%s, up to key %.300s",
                       (long long)b->walk.changed, b->walk.plan.table.at, (long long)b->walk.batches,
                       b->walk.batches == 1 ? "" : "es", last.at);
    names->is_walked = is_done;
}

/* The first batch shows whether the index is used. What has been filled a moment ago, in this run perhaps,
 * the server may not know yet: it is asked again when it does. */
static bool check_index(struct backfill *b, struct error *err)
{
    const struct key_range range = { &b->walk.done, &b->walk.until };
    enum explained explained = backfill_explain(b->execution, &b->walk.plan, range, err);

    if (explained == EXPLAINED_WHOLE && analyze_key(b, err))
        explained = backfill_explain(b->execution, &b->walk.plan, range, err);
    return explained == EXPLAINED_INDEX;
}

static bool begin(struct backfill *b, struct error *err)
{
    int64_t rows = b->pace.rows;

    backfill_walk_end(&b->walk);
    if (!backfill_walk_begin(&b->walk, b->execution, &rows, err))
        return false;
    if (rows >= b->pace.rows_least && rows <= b->pace.rows_most)
        b->pace.rows = rows;
    return backfill_walk_is_over(&b->walk) ||
           (backfill_walk_choose(&b->walk, b->pace.rows, err) && check_index(b, err));
}

static bool prepare(struct backfill *b, struct error *err)
{
    auto_text struct text line = text_init(1024);

    if (!run_step(b, begin, err))
        return false;
    if (b->walk.batches > 0) {
        describe(b, &line);
        log_info("resuming: %s", line.at);
    }
    return true;
}

/* As the failure of any statement; the place that knew more has said so. */
static bool explain(struct execution *execution, struct error *err)
{
    struct error_place place = err->place;

    if (err->code[0] != '\0' || err->cause == CAUSE_BEHIND)
        return false;
    err->position = 0;
    execution_failed_at(execution, 0, 0, 0, err);
    if (place.line > 0)
        err->place = place;
    return false;
}

bool backfill_run(struct execution *execution, bool *has_effect, struct error *err)
{
    const struct backfill_wish *wish = &execution->directives.backfill;
    int64_t max_blocked_for_ms = execution->watch->limits.max_blocked_for_ms;
    struct backfill b = { .execution = execution,
                          .wish = wish,
                          .pace = pace_begin(wish->target_ms, wish->rows_least, wish->rows_most),
                          .next_throttle = deadline_in(0),
                          .rested = deadline_in(0),
                          .line = progress_line_begin() };
    bool is_done = prepare(&b, err);

    b.throttle = throttle_begin(&execution->directives.throttle, b.walk.plan.table.at);
    execution->progress->is_backfill = true;
    execution->watch->limits.max_blocked_for_ms = MAX_BLOCKED_FOR_MS;
    is_done = is_done && run_passes(&b, err);
    execution->watch->limits.max_blocked_for_ms = max_blocked_for_ms;
    execution->progress->is_backfill = false;
    execution->progress->is_throttled = false;
    execution->progress->current_ratio = -1;
    log_passing(NULL);
    if (is_done) {
        analyze(&b);
        log_info("backfill of %s: %lld row%s changed in %lld batch%s", b.walk.plan.table.at,
                 (long long)b.walk.changed, text_plural((size_t)b.walk.changed), (long long)b.walk.batches,
                 b.walk.batches == 1 ? "" : "es");
    }
    note_persisting(&b, is_done);
    /* An earlier run's progress stays until it has been read. */
    if (b.walk.is_known)
        *has_effect = b.walk.batches > 0;
    backfill_walk_end(&b.walk);
    return is_done || explain(execution, err);
}

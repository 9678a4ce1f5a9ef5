#include "execution/lock_retry.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"

enum {
    OLD_MS = 1000,   /* a transaction of that age will not end soon */
    CYCLES_MOST = 5, /* in a row */
    REST_FACTOR = 2, /* times as long as others were blocked */
    LOOK_LEAST_MS = 100,
    LOOK_MOST_MS = 300,
    REST_WITH_LOOKS_MS = 400 /* lets the queue behind us drain */
};

static const char *reason_text(enum retry_reason reason)
{
    static const char *const texts[] = {
        [RETRY_LOCK_TIMEOUT] = "lock timeout",
        [RETRY_DEADLOCK] = "the server ended a deadlock with another session",
        [RETRY_SERIALIZATION] = "the transaction conflicted with another one",
    };

    return texts[reason];
}

/* Others waited for it, each time for longer than they may. */
static bool hint_cancelled(const struct execution *execution, struct error *err)
{
    err->sqlstate[0] = '\0';
    return error_hint(
        err, "%s",
        execution->watch->was_queued
            ? "It only waited for its lock, and others queued behind it. Run it when fewer "
              "sessions use the table, or let more of them wait: --max-blocked, --max-blocked-for."
            : "It held its lock for too long. Split it into smaller steps, or run it when nobody "
              "needs the table. To let other sessions wait for it: --max-blocked-for 0.");
}

/* Which time was over, or too short for another attempt. */
static void add_limit(const struct execution *execution, struct text *detail)
{
    const struct retry *retry = &execution->lock_wait.retry;
    char time[32];

    if (retry->retry_for_ms == 0)
        return;
    text_add_string(detail, detail->length == 0 ? "Gave up " : " Gave up ");
    if (retry->tries == 0)
        text_add_string(detail, "before the first attempt");
    else
        text_add_format(detail, "after %u attempt%s", retry->tries, text_plural(retry->tries));
    if (execution->lock_wait.is_cut_short)
        text_add_format(detail, ": the migration-timeout of %s leaves no time for another.",
                        duration_text(execution->timeout_ms, time, sizeof time));
    else
        text_add_format(detail, " in %s.", duration_text(retry->retry_for_ms, time, sizeof time));
}

/* The error of the last attempt, with what is known about the others. */
static bool give_up(const struct execution *execution, const struct blockers *blockers, struct error *err)
{
    auto_text struct text detail = text_init(sizeof err->detail);

    text_add_string(&detail, err->detail);
    add_limit(execution, &detail);
    for (size_t i = 0; i < blockers->count; i++) {
        const char *spared = blocker_spared(&blockers->list[i], &execution->lock_wait.policy);

        text_add_string(&detail, i == 0 ? " Blocked by: " : "; ");
        blocker_describe(&blockers->list[i], &detail);
        if (spared != NULL)
            text_add_format(&detail, " (not ended, as it %s)", spared);
    }
    error_detail(err, "%s", detail.at);
    if (execution->lock_wait.retry.tries == 0)
        return false; /* the watch has not looked yet */
    /* Nobody else cancelled it: it is what a lock_timeout would have said. */
    if (execution->watch->has_waited_out || execution->watch->has_locked_tables)
        text_copy_cut(err->sqlstate, sizeof err->sqlstate, "55P03");
    return execution->watch->was_cancelled && hint_cancelled(execution, err);
}

/* The one that waits for us while we wait for it, or NULL. */
static const struct blocker *cycle_of(const struct blockers *blockers)
{
    for (size_t i = 0; i < blockers->count; i++) {
        if (blockers->list[i].waits_for_us)
            return &blockers->list[i];
    }
    return NULL;
}

/* The script takes its locks in another order than the application, which will go on doing so. */
static bool give_up_cycle(const struct blockers *blockers, struct error *err)
{
    const struct blocker *other = cycle_of(blockers);
    auto_text struct text who = text_init(2048);

    if (other != NULL) {
        blocker_describe(other, &who);
        error_detail(err,
                     "In %d attempts in a row somebody waited for what this statement's transaction "
                     "held, and held what it waited for: at last %s, with: %s",
                     CYCLES_MOST, who.at, other->statement);
    }
    err->sqlstate[0] = '\0';
    return error_hint(err,
                      "Take the locks in the order of the application: begin the script with LOCK TABLE, "
                      "with its tables in that order, or put each table into a migration of its own.");
}

/* Whether it is known what the statement waited for, so that we can see from outside whether that is free: a
 * table, or a row. */
static bool is_visible(const struct wanted_lock *wanted_lock)
{
    return wanted_lock->is_known &&
           (wanted_lock->is_row ? wanted_lock->holder[0] != '\0' : strcmp(wanted_lock->oid, "0") != 0);
}

/* From which age on a transaction is not expected to end while an attempt waits. */
static int64_t old_age_ms(const struct execution *execution)
{
    int64_t twice_ms = 2 * retry_lock_timeout_ms(&execution->lock_wait.retry, WAIT_TABLE);

    return twice_ms > OLD_MS ? twice_ms : OLD_MS;
}

/* A holder whose transaction is old, or NULL. One whose age is hidden from us counts as old if it is still
 * there after a second. */
static const struct blocker *old_holder(struct execution *execution, const struct blockers *holders)
{
    int64_t old_ms = old_age_ms(execution);

    for (size_t i = 0; i < holders->count; i++) {
        const struct blocker *holder = &holders->list[i];

        if (holder->age * 1000 >= (double)old_ms || holder->pid == 0)
            return holder;
        if (holder->age >= 0)
            continue;
        if (strcmp(execution->lock_wait.unseen, holder->transaction) == 0)
            return deadline_passed(execution->lock_wait.unseen_until) ? holder : NULL;
        text_copy_cut(execution->lock_wait.unseen, sizeof execution->lock_wait.unseen, holder->transaction);
        execution->lock_wait.unseen_until = deadline_in(OLD_MS);
    }
    return NULL;
}

static void say_holder(struct execution *execution, const struct wanted_lock *wanted_lock,
                       const struct blocker *holder)
{
    auto_text struct text who = text_init(2048);
    char key[16 + GID_SIZE];

    (void)snprintf(key, sizeof key, "pid %d %s", holder->pid, holder->pid == 0 ? holder->name : "");
    if (!patience_has_word(&execution->lock_wait.retry.patience, key))
        return;
    blocker_describe(holder, &who);
    text_copy_cut(execution->progress->in_the_way, sizeof execution->progress->in_the_way, who.at);
    if (wanted_lock->is_row)
        log_wait("not trying again while a row is locked: held up by %s", who.at);
    else
        log_wait("not queueing for %s on %s, which would block other sessions: held up by %s",
                 wanted_lock->mode, wanted_lock->relation, who.at);
}

/* A statement that queues behind an old transaction gets nothing and blocks everybody. Looking from outside
 * whether that transaction is still there blocks nobody. */
static bool look_before_queueing(struct execution *execution, const struct wanted_lock *wanted_lock,
                                 struct error *err)
{
    struct error failure = *err;
    struct blockers holders;

    for (;;) {
        const struct blocker *holder;

        if (!blockers_find(execution->conn, wanted_lock, &holders, err))
            return error_context(err, "looking up who holds %s",
                                 wanted_lock->is_row ? "the row" : wanted_lock->relation);
        execution->progress->blocked_by = (int)holders.count;
        holder = old_holder(execution, &holders);
        if (holder == NULL)
            return true;
        execution->lock_wait.blockers = holders;
        if (patience_is_over(&execution->lock_wait.retry.patience)) {
            *err = failure;
            return give_up(execution, &holders, err);
        }
        say_holder(execution, wanted_lock, holder);
        blocker_act(execution->conn, holder, wanted_lock, &execution->lock_wait.policy);
        if (!patience_pause(&execution->lock_wait.retry.patience,
                            LOOK_LEAST_MS + (int64_t)random_below(LOOK_MOST_MS - LOOK_LEAST_MS), err))
            return false;
    }
}

/* An autovacuum yields to a session that has waited long enough for the deadlock check; one against
 * wraparound does not. */
static bool is_autovacuum(const struct blockers *blockers)
{
    for (size_t i = 0; i < blockers->count; i++) {
        if (strcmp(blockers->list[i].kind, "autovacuum worker") != 0 || blockers->list[i].is_wraparound)
            return false;
    }
    return blockers->count > 0;
}

static void learn(struct execution *execution, enum retry_reason reason, const struct blockers *blockers)
{
    struct retry *retry = &execution->lock_wait.retry;

    execution->lock_wait.locks_tables |= execution->watch->has_locked_tables;
    retry->is_autovacuum = !retry->is_autovacuum && is_autovacuum(blockers);
    execution->lock_wait.blockers = *blockers;
    execution->lock_wait.cycles =
        reason == RETRY_DEADLOCK || cycle_of(blockers) != NULL ? execution->lock_wait.cycles + 1 : 0;
}

static void say_attempt(const struct error *err, enum retry_reason reason, unsigned tries)
{
    char at[32] = "";

    if (err->place.line > 0)
        (void)snprintf(at, sizeof at, " at line %zu", err->place.line);
    log_wait("%s%s: attempt %u was rolled back, retrying after a pause", reason_text(reason), at, tries);
}

/* Pauses, then looks; false when it gives up. */
static bool wait_for_turn(struct execution *execution, enum retry_reason reason,
                          const struct wanted_lock *wanted_lock, const struct blockers *blockers,
                          struct error *err)
{
    struct retry *retry = &execution->lock_wait.retry;
    bool is_looking = is_visible(wanted_lock) && !execution->lock_wait.retry.is_autovacuum;
    int64_t rest = is_looking && retry->tries <= 2 ? REST_WITH_LOOKS_MS : retry_rest_ms(retry);

    if (rest < REST_FACTOR * execution->watch->cancelled_after_ms)
        rest = REST_FACTOR * execution->watch->cancelled_after_ms;
    if (deadline_left_ms(retry->patience.until) <= rest)
        return give_up(execution, blockers, err);
    execution->progress->retries[reason]++;
    if (!execution->watch->has_waited_out && patience_has_word(&retry->patience, NULL))
        say_attempt(err, reason, retry->tries);
    watch_open(execution->watch, execution->conn);
    if (!patience_pause(&retry->patience, rest, err))
        return false;
    return !is_looking || look_before_queueing(execution, wanted_lock, err);
}

int64_t lock_retry_left_ms(const struct execution *execution)
{
    const struct retry *retry = &execution->lock_wait.retry;
    int64_t left = retry->tries == 0 ? retry->retry_for_ms : deadline_left_ms(retry->patience.until);

    return left > 0 || retry->retry_for_ms == 0 ? left : 1;
}

bool lock_retry(struct execution *execution, struct error *err)
{
    struct retry *retry = &execution->lock_wait.retry;
    struct progress *progress = execution->progress;
    enum retry_reason reason = retry_reason_of(err->sqlstate);
    struct wanted_lock wanted_lock = execution->watch->wanted_lock;
    struct blockers blockers = execution->watch->blockers;
    int64_t since = clock_now_ms();
    bool is_worth_it;

    if (err->class != ERROR_TABLE_LOCK || reason == RETRY_REASONS || connection_is_lost(execution->conn))
        return false;
    retry_count(retry, execution->watch->has_waited_out || execution->watch->has_locked_tables
                           ? execution->watch->waited_ms
                           : execution->lock_wait.lock_timeout_ms);
    execution->lock_wait.is_cut_short = execution->until.at_ms <= retry->patience.until.at_ms;
    retry->patience.until = deadline_earlier(retry->patience.until, execution->until);
    learn(execution, reason, &blockers);
    if (execution->lock_wait.cycles >= CYCLES_MOST)
        return give_up_cycle(&blockers, err);
    connection_shield(execution->conn, false);
    progress_enter(progress, PROGRESS_WAITING_LOCK);
    is_worth_it = wait_for_turn(execution, reason, &wanted_lock, &blockers, err);
    progress->lock_wait_seconds +=
        (double)(clock_now_ms() - since + execution->lock_wait.lock_timeout_ms) / 1000;
    progress->blocked_by = 0;
    progress_enter(progress, PROGRESS_APPLYING);
    return is_worth_it;
}

/* What the server would have said after such a wait. */
static bool set_not_obtained(const struct execution *execution, const struct held_wish *held,
                             struct error *err)
{
    error_set(err, ERROR_TABLE_LOCK, "could not get %s on %s: others hold it", held->lock.mode,
              held->lock.relation);
    text_copy_cut(err->sqlstate, sizeof err->sqlstate, "55P03");
    return execution_point_at(execution, held->statement, err);
}

static bool wait_for_holder(struct execution *execution, const struct held_wish *held, struct error *err)
{
    struct progress *progress = execution->progress;
    int64_t since = clock_now_ms();
    int64_t waited_ms;
    bool is_free;

    (void)set_not_obtained(execution, held, err);
    progress_enter(progress, PROGRESS_WAITING_LOCK);
    is_free = look_before_queueing(execution, &held->lock, err);
    waited_ms = clock_now_ms() - since;
    execution->lock_wait.retry.looked_ms += waited_ms;
    progress->lock_wait_seconds += (double)waited_ms / 1000;
    progress->blocked_by = 0;
    progress_enter(progress, PROGRESS_APPLYING);
    return is_free;
}

static struct lock_question question_of(const struct execution *execution, size_t first, size_t end)
{
    return (struct lock_question) { .wishes = execution->wishes,
                                    .first = first,
                                    .end = end,
                                    .old_ms = old_age_ms(execution),
                                    .calm_until = execution->calm_until };
}

bool lock_retry_is_free(const struct execution *execution)
{
    const struct lock_question question = question_of(execution, 0, execution->summary.statements);
    struct held_wish held;
    struct error ignored;

    return execution->wishes == NULL || execution->lock_wait.retry.retry_for_ms == 0 ||
           (lock_wish_find_held(execution->conn, &question, &held, &ignored) && !held.lock.is_known);
}

bool lock_retry_look_first(struct execution *execution, size_t first, size_t end, struct error *err)
{
    struct lock_wait *wait = &execution->lock_wait;
    struct deadline until = deadline_in(wait->retry.retry_for_ms);
    const struct lock_question question = question_of(execution, first, end);
    struct held_wish held;

    wait->retry.looked_ms = 0;
    if (execution->wishes == NULL || wait->retry.retry_for_ms == 0)
        return true;
    wait->is_cut_short = execution->until.at_ms <= until.at_ms;
    wait->retry.patience = (struct patience) { .until = deadline_earlier(until, execution->until) };
    for (;;) {
        if (!lock_wish_find_held(execution->conn, &question, &held, err))
            return error_context(err, "looking up who holds the tables");
        if (!held.lock.is_known)
            return true;
        if (!wait_for_holder(execution, &held, err))
            return false;
    }
}

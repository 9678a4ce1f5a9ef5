#include "traffic/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "traffic/watch_question.h"

enum {
    OPEN_AFTER_MS = 500,
    CONNECT_MS = 5000,
    FIRST_LOOK_MS = 10,
    EARLY_MS = 1000, /* until then it looks often: the waits of the first attempts are short */
    EARLY_LOOK_MS = 25,
    LATE_LOOK_MS = 500,
    SAY_BLOCKED_MS = 1000,
    SIGNAL_MS = 1000,
    SQL_MOST = 16 * 1024
};

static struct watch *watch_of(struct attendant *attendant)
{
    return (struct watch *)(void *)attendant;
}

static void attend(struct watch *watch, int64_t due_ms)
{
    bool is_connected = watch->state == WATCH_CONNECTING || watch->state == WATCH_ASKING;

    watch->attendant.fd = is_connected ? connection_descriptor(watch->conn) : -1;
    watch->attendant.events = is_connected ? connection_events(watch->conn) : 0;
    watch->attendant.due = due_ms < 0 ? deadline_never() : deadline_in(due_ms);
}

static void give_up(struct watch *watch, const struct error *err)
{
    log_info("continuing without a second connection, so not watching who blocks whom: %s", err->message);
    connection_close(watch->conn);
    watch->conn = NULL;
    pending_free(&watch->pending);
    watch->state = WATCH_GIVEN_UP;
    attend(watch, -1);
}

static void forget_blocked(struct watch *watch)
{
    if (watch->has_said_blocked)
        log_info("no session is blocked by this run any more");
    watch->has_said_blocked = false;
    watch->blocked_since_ms = 0;
    watch->blocked = 0;
    watch->progress->blocked = 0;
}

/* A prepared transaction does not end by itself, and CREATE INDEX CONCURRENTLY waits for it without a limit.
 */
static void log_blockers(const struct watch *watch, struct text *who)
{
    const struct wanted_lock *wanted_lock = &watch->wanted_lock;
    bool is_prepared = watch->blockers.list[0].pid == 0;

    if (is_prepared) {
        text_add_string(who, "; to end it, ");
        blocker_add_remedy(&watch->blockers.list[0], who);
    }
    if (wanted_lock->is_row && !is_prepared)
        log_wait("blocked: waiting for a row, held up by %s", who->at);
    else if (!wanted_lock->is_row && wanted_lock->relation[0] != '\0')
        log_wait("blocked: waiting for %s on %s, held up by %s", wanted_lock->mode, wanted_lock->relation,
                 who->at);
    else
        log_wait("blocked: held up by %s", who->at);
}

static void say_blockers(struct watch *watch)
{
    auto_text struct text text = text_init(2048);
    char who[sizeof watch->said] = "";
    size_t length = 0;

    for (size_t i = 0; i < watch->blockers.count; i++) {
        text_add_string(&text, i == 0 ? "" : "; ");
        blocker_describe(&watch->blockers.list[i], &text);
        if (length < sizeof who)
            length +=
                (size_t)snprintf(who + length, sizeof who - length, "%d/%s ", watch->blockers.list[i].pid,
                                 watch->blockers.list[i].pid == 0 ? watch->blockers.list[i].name
                                                                  : watch->blockers.list[i].state);
    }
    if (watch->blockers.count == 0 || strcmp(who, watch->said) == 0)
        return;
    text_copy_cut(watch->said, sizeof watch->said, who);
    text_copy_cut(watch->progress->in_the_way, sizeof watch->progress->in_the_way, text.at);
    log_blockers(watch, &text);
}

static void count_wait(struct watch *watch, bool is_waiting)
{
    int64_t now = clock_now_ms();
    char why[64];
    char took[32];

    if (is_waiting && watch->is_waiting)
        watch->waited_ms += now - watch->seen_ms;
    watch->is_waiting = is_waiting;
    watch->seen_ms = now;
    if (watch->wait_limit_ms == 0 || watch->waited_ms < watch->wait_limit_ms || watch->has_waited_out)
        return;
    watch->has_waited_out = true;
    (void)snprintf(why, sizeof why, "it waited for others for %s",
                   duration_text(watch->waited_ms, took, sizeof took));
    connection_cancel(watch->watched, ERROR_TABLE_LOCK, why);
}

static void see_want(struct watch *watch, const struct result *seen)
{
    struct wanted_lock *wanted_lock = &watch->wanted_lock;
    struct blockers *blockers = &watch->blockers;

    count_wait(watch, result_rows(seen) > 0);
    if (!watch->is_waiting) {
        watch->progress->blocked_by = 0;
        return;
    }
    *wanted_lock = (struct wanted_lock) { .is_known = true,
                                          .is_row = result_bool(seen, 0, 0),
                                          .is_transaction = result_bool(seen, 0, 4) };
    text_copy_cut(wanted_lock->mode, sizeof wanted_lock->mode, result_text(seen, 0, 1));
    text_copy_cut(wanted_lock->oid, sizeof wanted_lock->oid, result_text(seen, 0, 2));
    text_copy_cut(wanted_lock->relation, sizeof wanted_lock->relation, result_text(seen, 0, 3));
    blockers_read(seen, WATCH_WANTED_COLUMNS, blockers);
    for (size_t i = 0; i < blockers->count; i++) {
        struct blocker *blocker = &blockers->list[i];

        blocker->waits_for_us = result_bool(seen, (int)i, 5);
        text_copy_cut(blocker->statement, sizeof blocker->statement, result_text(seen, (int)i, 6));
    }
    blockers_drop_harmless(wanted_lock->mode, blockers);
    watch->progress->blocked_by = (int)blockers->count;
    if (blockers->count > 0)
        text_copy_cut(wanted_lock->holder, sizeof wanted_lock->holder, blockers->list[0].transaction);
    say_blockers(watch);
}

/* What was done about a blocker at the last look, if anything was. */
static void see_signal(struct watch *watch, const struct result *seen)
{
    if (result_rows(seen) > 0 && result_bool(seen, 0, 0))
        blocker_say_signal(&watch->signalled, watch->action);
}

/* Adds what the policy says about the first blocker that it is about. */
static void add_signal(struct watch *watch, struct text *sql)
{
    watch->action = BLOCKER_LEAVE;
    for (size_t i = 0; watch->is_waiting && watch->policy != NULL && i < watch->blockers.count; i++) {
        const struct blocker *blocker = &watch->blockers.list[i];

        blocker_say_spared(blocker, &watch->wanted_lock, watch->policy);
        watch->action = blocker_decide(blocker, &watch->wanted_lock, watch->policy);
        if (watch->action == BLOCKER_LEAVE)
            continue;
        watch->signalled = *blocker;
        text_add_string(sql, ";");
        blocker_add_signal(blocker, &watch->wanted_lock, watch->policy, sql);
        return;
    }
}

/* The sessions that we block belong to the application. */
static void see_blocked(struct watch *watch, size_t blocked)
{
    int64_t now = clock_now_ms();
    int64_t lasted;
    char why[200];
    char took[32];

    watch->blocked = blocked;
    watch->progress->blocked = (int)blocked;
    if (blocked == 0) {
        forget_blocked(watch);
        return;
    }
    if (watch->blocked_since_ms == 0)
        watch->blocked_since_ms = now;
    lasted = now - watch->blocked_since_ms;
    if (lasted >= SAY_BLOCKED_MS && !watch->has_said_blocked) {
        watch->has_said_blocked = true;
        log_info("%zu session%s blocked by this run, for %s", blocked, text_plural(blocked),
                 duration_text(lasted, took, sizeof took));
    }
    if (!watch->may_cancel ||
        ((watch->limits.max_blocked == 0 || (int64_t)blocked <= watch->limits.max_blocked) &&
         (watch->limits.max_blocked_for_ms == 0 || lasted <= watch->limits.max_blocked_for_ms)))
        return;
    watch->was_cancelled = true;
    watch->cancelled_after_ms = lasted;
    watch->was_queued = watch->is_waiting;
    (void)snprintf(why, sizeof why, "it blocked %zu session%s for %s", blocked, text_plural(blocked),
                   duration_text(lasted, took, sizeof took));
    connection_cancel(watch->watched, ERROR_TABLE_LOCK, why);
}

/* Rows are waited for with patience, since who does so keeps hardly anybody waiting. */
static void see_tables(struct watch *watch, bool has_table_waiters)
{
    const struct wanted_lock *wanted_lock = &watch->wanted_lock;
    bool is_queued = wanted_lock->relation[0] != '\0' && blocker_mode_is_strong(wanted_lock->mode);

    if (!watch->is_for_rows || !watch->is_waiting || watch->has_locked_tables ||
        !(is_queued || has_table_waiters))
        return;
    watch->has_locked_tables = true;
    connection_cancel(watch->watched, ERROR_TABLE_LOCK, "while it waited, it kept others from a table");
}

static void see_statement_progress(struct watch *watch, const struct result *seen)
{
    auto_text struct text said = text_init(1024);

    if (result_rows(seen) == 0)
        return;
    statement_progress_see(&watch->statement_progress,
                           &(const struct progress_sample) { result_text(seen, 0, 0), result_text(seen, 0, 1),
                                                             (double)result_number(seen, 0, 2),
                                                             (double)result_number(seen, 0, 3),
                                                             clock_now_ms() });
    watch->progress->current_ratio = statement_progress_ratio(&watch->statement_progress);
    statement_progress_describe(&watch->statement_progress, &said);
    progress_line_show(&watch->line, watch->progress->current_ratio, said.at);
}

static void look(struct watch *watch)
{
    struct error err = { .class = ERROR_NONE };

    switch (query_continue(watch->conn, &watch->pending, &err)) {
    case QUERY_PENDING:
        attend(watch, CONNECT_MS);
        return;
    case QUERY_FAILED:
        give_up(watch, &err);
        return;
    case QUERY_DONE:
        break;
    }
    if (watch->action != BLOCKER_LEAVE && watch->pending.count == PENDING_RESULTS)
        see_signal(watch, watch->pending.results[PENDING_RESULTS - 1]);
    if (watch->watched != NULL && watch->pending.count >= 3) {
        see_want(watch, watch->pending.results[0]);
        see_blocked(watch, (size_t)result_number(watch->pending.results[1], 0, 0));
        see_tables(watch, result_bool(watch->pending.results[1], 0, 1));
        see_statement_progress(watch, watch->pending.results[2]);
    }
    pending_free(&watch->pending);
    watch->state = WATCH_IDLE;
    if (watch->watched == NULL)
        attend(watch, -1);
    else
        attend(watch, clock_now_ms() - watch->since_ms < EARLY_MS ? EARLY_LOOK_MS : LATE_LOOK_MS);
}

static void ask(struct watch *watch)
{
    struct error err;
    auto_text struct text sql = text_init(SQL_MOST);

    if (watch->watched == NULL || !connection_is_busy(watch->watched)) {
        attend(watch, -1);
        return;
    }
    watch_question_add(watch->watched_pid, &sql);
    add_signal(watch, &sql);
    if (!query_begin(watch->conn, sql.at, &watch->pending)) {
        error_set(&err, ERROR_LOST, "the connection broke");
        give_up(watch, &err);
        return;
    }
    watch->state = WATCH_ASKING;
    attend(watch, CONNECT_MS);
}

static void connect_on(struct watch *watch)
{
    struct error err;

    switch (connection_continue(watch->conn, &err)) {
    case CONNECTION_PENDING:
        attend(watch, CONNECT_MS);
        return;
    case CONNECTION_REFUSED:
        give_up(watch, &err);
        return;
    case CONNECTION_READY:
        break;
    }
    watch->state = WATCH_IDLE;
    attend(watch, 0);
}

static void turn(struct attendant *attendant)
{
    struct watch *watch = watch_of(attendant);

    switch (watch->state) {
    case WATCH_CLOSED:
        if (watch->watched != NULL)
            watch_open(watch, watch->watched);
        break;
    case WATCH_CONNECTING:
        connect_on(watch);
        break;
    case WATCH_IDLE:
        ask(watch);
        break;
    case WATCH_ASKING:
        look(watch);
        break;
    case WATCH_GIVEN_UP:
        attend(watch, -1);
        break;
    }
}

void watch_begin(struct watch *watch, struct watch_limits limits, struct progress *progress)
{
    *watch = (struct watch) { .attendant = { .fd = -1, .due = deadline_never(), .turn = turn },
                              .limits = limits,
                              .progress = progress };
    event_loop_attend(&watch->attendant);
}

void watch_end(struct watch *watch)
{
    event_loop_dismiss(&watch->attendant);
    connection_close(watch->conn);
    pending_free(&watch->pending);
    forget_blocked(watch);
    watch->progress->blocked_by = 0;
}

void watch_forbid(struct watch *watch, const char *why)
{
    if (watch->state != WATCH_CLOSED)
        return;
    log_debug("no second connection: %s", why);
    watch->state = WATCH_GIVEN_UP;
    attend(watch, -1);
}

void watch_open(struct watch *watch, struct connection *beside)
{
    if (watch->state != WATCH_CLOSED)
        return;
    watch->conn = connection_begin_beside(beside, CONNECT_MS);
    watch->state = WATCH_CONNECTING;
    /* It may be there already: then its socket has nothing more to say. */
    attend(watch, 0);
}

void watch_cancel(struct watch *watch, enum error_class class, const char *why)
{
    if (watch->watched != NULL && watch->may_cancel)
        connection_cancel(watch->watched, class, why);
}

void watch_start(struct watch *watch, struct connection *watched, int pid, bool may_cancel)
{
    watch->watched = watched;
    watch->watched_pid = pid;
    watch->may_cancel = may_cancel;
    watch->since_ms = clock_now_ms();
    watch->wanted_lock.is_known = false;
    watch->is_waiting = false;
    watch->waited_ms = 0;
    watch->wait_limit_ms = 0;
    watch->has_waited_out = false;
    watch->is_for_rows = false;
    watch->has_locked_tables = false;
    watch->was_cancelled = false;
    watch->was_queued = false;
    watch->cancelled_after_ms = 0;
    watch->blockers.count = 0;
    watch->statement_progress = (struct statement_progress) { .command = "" };
    watch->line = progress_line_begin();
    if (watch->state == WATCH_CLOSED)
        attend(watch, OPEN_AFTER_MS);
    else if (watch->state == WATCH_IDLE)
        attend(watch, FIRST_LOOK_MS);
}

void watch_limit_wait(struct watch *watch, int64_t ms)
{
    watch->wait_limit_ms = ms;
}

void watch_expect_rows(struct watch *watch, bool is_for_rows)
{
    watch->is_for_rows = is_for_rows;
}

/* Who was signalled is never left unsaid. */
static void wait_for_signal(struct watch *watch)
{
    struct deadline until = deadline_in(SIGNAL_MS);
    struct pollfd nothing = { .fd = -1 };

    while (watch->state == WATCH_ASKING && watch->action != BLOCKER_LEAVE && !deadline_passed(until))
        (void)event_loop_poll(&nothing, 1, EARLY_LOOK_MS);
}

void watch_stop(struct watch *watch)
{
    wait_for_signal(watch);
    watch->watched = NULL;
    if (watch->statement_progress.command[0] != '\0') {
        watch->progress->current_ratio = -1;
        log_passing(NULL);
    }
    forget_blocked(watch);
    watch->progress->blocked_by = 0;
    if (watch->state == WATCH_CLOSED || watch->state == WATCH_IDLE)
        attend(watch, -1);
}

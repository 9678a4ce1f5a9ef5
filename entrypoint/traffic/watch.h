/*
 * The watch: a second connection that looks, while a statement of ours runs, who blocks it and whom it
 * blocks.
 *
 * It is opened only if a statement runs for half a second or a lock was not obtained: most deployments never
 * need it. Everything happens while the first connection is waited for; nothing waits for the watch, except
 * to learn whether it has signalled a session. If it is not available (--connections 1, no free connection,
 * refused), the deployment continues without it.
 */
#ifndef TRAFFIC_WATCH_H
#define TRAFFIC_WATCH_H

#include <stdbool.h>

#include "base/event_loop.h"
#include "postgres/connection.h"
#include "report/progress.h"
#include "report/progress_line.h"
#include "traffic/blockers.h"
#include "traffic/statement_progress.h"

struct watch_limits {
    int64_t max_blocked;        /* sessions that we may block; 0 = any number */
    int64_t max_blocked_for_ms; /* … and for how long; 0 = any time */
};

enum watch_state { WATCH_CLOSED, WATCH_CONNECTING, WATCH_IDLE, WATCH_ASKING, WATCH_GIVEN_UP };

struct watch {
    struct attendant attendant; /* the first member */
    struct watch_limits limits;
    struct progress *progress;
    struct connection *watched; /* the connection that applies; NULL = no statement runs */
    int watched_pid;
    bool may_cancel;               /* what runs now */
    struct blocker_policy *policy; /* what may be done about blockers; NULL = nothing */
    int64_t since_ms;              /* when it was begun */

    enum watch_state state;
    struct connection *conn;
    struct pending pending;
    struct wanted_lock wanted_lock; /* what the latest statement waited for, if it was seen */
    struct blockers blockers;       /* … and who held that */
    bool is_waiting;                /* at the last look … */
    int64_t seen_ms;                /* … which was then */
    int64_t waited_ms;              /* for locks, the current statement in all … */
    int64_t wait_limit_ms;          /* … and no longer than that; 0 = any time */
    bool has_waited_out;            /* so it was cancelled */
    bool is_for_rows;               /* the current statement is given the time that rows take … */
    bool has_locked_tables;         /* … but was cancelled, as it keeps others from a table */
    bool was_cancelled;             /* because it blocked others … */
    bool was_queued;                /* … while it waited itself … */
    int64_t cancelled_after_ms;     /* … for so long */
    enum blocker_action action;     /* what is being done about … */
    struct blocker signalled;       /* … this one */
    char said[160];                 /* who was last named in the log */
    size_t blocked;                 /* sessions that we block */
    int64_t blocked_since_ms;       /* 0 = none */
    bool has_said_blocked;
    struct statement_progress statement_progress; /* of the current statement */
    struct progress_line line;                    /* that shows it */
};

/* One that is closed; it must stay where it is until watch_end(). */
void watch_begin(struct watch *watch, struct watch_limits limits, struct progress *progress);
void watch_end(struct watch *watch);

/* From now on it is not opened. */
void watch_forbid(struct watch *watch, const char *why);

/* Opens it now: a lock was not obtained, and the next attempt will need it. */
void watch_open(struct watch *watch, struct connection *beside);

/* Cancels the current statement, if that leaves nothing half done. */
void watch_cancel(struct watch *watch, enum error_class class, const char *why);

/* Call them before a statement is sent on `watched`, whose server process is `pid`, and after it is done.
 * With `may_cancel` it is cancelled (connection_cancel()) if it blocks more sessions, or for longer, than the
 * limits allow.
 * */
void watch_start(struct watch *watch, struct connection *watched, int pid, bool may_cancel);

/* The statement that was just announced is cancelled, whatever that leaves, when its waits for locks add up
 * to `ms`; 0 = never. For a statement that runs without lock_timeout. */
void watch_limit_wait(struct watch *watch, int64_t ms);

/* The statement that was just announced waits for rows, for long; it is cancelled if meanwhile it keeps
 * others from a table, as a trigger that changes one would. */
void watch_expect_rows(struct watch *watch, bool is_for_rows);

/* After the statement. */
void watch_stop(struct watch *watch);

#endif

#include "postgres/answer.h"

#include <string.h>
#include <sys/socket.h>

#include "base/event_loop.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "postgres/cancel.h"

/* A cancel request that has not reached the server within CANCEL_MS is given up together with the connection.
 * One that was refused is sent again soon, one that was taken without effect a little later: something in
 * between may have swallowed it. */
enum { CANCEL_MS = 2000, REFUSED_PAUSE_MS = 250, TAKEN_PAUSE_MS = 2000 };

/* How long a cancelled statement may take to end: less after a signal, which says that time is short. What
 * comes after a limit has passed, like a ROLLBACK, has the same time. */
enum { GRACE_SIGNAL_MS = 4000, GRACE_LIMIT_MS = 10 * 1000 };

/* A signal that is repeated is noticed within this time. */
enum { REPEATED_LOOK_MS = 200 };

bool connection_shield(struct connection *conn, bool is_shielded)
{
    bool was_shielded = conn->is_shielded;

    conn->is_shielded = is_shielded;
    return was_shielded;
}

void connection_limit_answers(struct connection *conn, int64_t ms)
{
    conn->answer_ms = ms;
}

bool connection_is_lost(const struct connection *conn)
{
    return conn->is_given_up || PQstatus(conn->pg) == CONNECTION_BAD;
}

bool error_from_loss(struct connection *conn, struct error *err)
{
    struct slice reason = slice_trim(slice_of(PQerrorMessage(conn->pg)));
    const char *end = reason.length > 0 ? memchr(reason.at, '\n', reason.length) : NULL;

    /* Given up because of a signal: no query can be answered any more. */
    if (conn->is_given_up && signals_pending() != 0)
        return signals_error(err);
    if (end != NULL)
        reason.length = (size_t)(end - reason.at);
    error_set(err, ERROR_LOST, "the connection broke: %.*s", (int)reason.length, reason.at);
    return error_code(err, "P1017");
}

bool connection_is_busy(const struct connection *conn)
{
    return PQtransactionStatus(conn->pg) == PQTRANS_ACTIVE;
}

void connection_cancel_at(struct connection *conn, struct deadline at, const char *why)
{
    conn->cancel_at = at;
    conn->cancel_why = why;
}

/* Begins to cancel the current statement; the wait for its answer drives the rest. */
static void begin_cancel(struct connection *conn, int64_t grace_ms)
{
    struct cancelling *cancel = &conn->cancel;

    log_info("cancelling the current statement%s%s", conn->why[0] == '\0' ? "" : ": ", conn->why);
    conn->is_cancelled = true;
    cancel->reached_by = deadline_in(CANCEL_MS);
    cancel->ended_by = deadline_in(grace_ms);
    cancel->request = cancel_begin(conn->pg);
    connection_shield(conn, true);
    event_loop_wake();
}

void connection_cancel(struct connection *conn, enum error_class class, const char *why)
{
    if (!connection_is_busy(conn) || !conn->is_cancellable || conn->is_cancelled)
        return;
    text_copy_cut(conn->why, sizeof conn->why, why);
    conn->cancel_class = class;
    begin_cancel(conn, GRACE_LIMIT_MS);
}

/* Takes the request further; sends another where that may help. */
static void drive_cancel(struct cancelling *cancel, PGconn *pg)
{
    char why[256];

    if (cancel->request == NULL && deadline_passed(cancel->again_at)) {
        cancel->request = cancel_begin(pg);
        if (cancel->is_delivered)
            cancel->reached_by = deadline_in(CANCEL_MS);
    }
    if (cancel->request == NULL)
        return;
    switch (cancel_continue(cancel->request, why, sizeof why)) {
    case CANCEL_PENDING:
        return;
    case CANCEL_DELIVERED:
        cancel->is_delivered = true;
        cancel->again_at = deadline_in(TAKEN_PAUSE_MS);
        break;
    case CANCEL_FAILED:
        if (!cancel->has_failed)
            log_warn("could not cancel: %s", why);
        cancel->has_failed = true;
        cancel->again_at = deadline_in(REFUSED_PAUSE_MS);
        break;
    }
    cancel_end(cancel->request);
    cancel->request = NULL;
}

/* When the wait gives up on a statement that was cancelled. */
static struct deadline cancel_limit(const struct cancelling *cancel)
{
    return cancel->is_delivered ? cancel->ended_by : deadline_earlier(cancel->reached_by, cancel->ended_by);
}

/* Nothing is sent on this connection any more. Closing it is all that can still be done. */
static bool give_up(struct connection *conn, struct error *err)
{
    conn->is_given_up = true;
    (void)shutdown(PQsocket(conn->pg), SHUT_RDWR); /* at once: its locks are in the way of others */
    if (conn->why[0] == '\0')
        (void)signals_error(err);
    else
        error_set(err, conn->cancel_class, "cancelled: %s", conn->why);
    if (!conn->is_cancelled)
        return false;
    return error_detail(err,
                        "%s, and the connection was closed: its session ends when the server notices that.",
                        conn->cancel.is_delivered ? "The server did not end the statement"
                                                  : "The cancel request did not reach the server");
}

/* What ends a wait for a result. */
struct wait {
    struct deadline limit; /* of the answer */
    struct deadline until; /* of the grace after a signal; never = none has come */
    bool has_said_late;
};

/* When to act at the latest. */
static struct deadline next_look(const struct connection *conn, const struct wait *wait)
{
    struct deadline look = deadline_earlier(wait->limit, wait->until);

    if (conn->is_cancelled) {
        look = deadline_earlier(look, cancel_limit(&conn->cancel));
        if (conn->cancel.request == NULL)
            look = deadline_earlier(look, conn->cancel.again_at);
    } else if (!wait->has_said_late) {
        look = deadline_earlier(look, conn->cancel_at);
    }
    return signals_pending() != 0 ? deadline_earlier(look, deadline_in(REPEATED_LOOK_MS)) : look;
}

/* The statement's own limit. What cleans up after that has some time, too, but not without end. */
static void check_time(struct connection *conn, struct wait *wait)
{
    if (conn->is_cancelled || wait->has_said_late || !deadline_passed(conn->cancel_at))
        return;
    if (conn->is_cancellable) {
        connection_cancel(conn, ERROR_CLEAN, conn->cancel_why);
        conn->cancel_at = deadline_in(GRACE_LIMIT_MS);
        return;
    }
    wait->has_said_late = true;
    log_wait("COMMIT is not answered yet: waiting for the answer, since only that tells what happened");
}

/* Cancels the statement if a limit has passed; false when the wait is over. */
static bool check_limits(struct connection *conn, struct wait *wait, struct error *err)
{
    check_time(conn, wait);
    if (deadline_is_never(wait->until) && signals_pending() != 0) {
        wait->until = deadline_in(GRACE_SIGNAL_MS);
        if (conn->is_cancellable && !conn->is_shielded)
            begin_cancel(conn, GRACE_SIGNAL_MS);
    }
    if (conn->is_cancelled) {
        drive_cancel(&conn->cancel, conn->pg);
        if (deadline_passed(cancel_limit(&conn->cancel)))
            return give_up(conn, err);
    }
    if (deadline_passed(wait->until) || signals_are_repeated()) {
        conn->why[0] = '\0';
        return give_up(conn, err);
    }
    if (!deadline_passed(wait->limit))
        return true;
    conn->is_given_up = true;
    return error_set(err, ERROR_LOST, "no answer within %lld ms", (long long)conn->answer_ms);
}

/* Waits until libpq, the cancel request or a signal has something to say, or it is time to look. */
static bool wait_for_socket(struct connection *conn, short events, struct deadline until)
{
    const struct cancel *request = conn->cancel.request;
    struct pollfd watched[3] = {
        { .fd = PQsocket(conn->pg), .events = events },
        { .fd = signals_pending() == 0 ? signals_descriptor() : -1, .events = POLLIN },
        { .fd = request == NULL ? -1 : cancel_descriptor(request),
          .events = request == NULL ? (short)0 : cancel_events(request) },
    };

    (void)event_loop_poll(watched, 3, deadline_left_ms(until));
    return watched[0].revents != 0;
}

/* Rows of a COPY … TO STDOUT: what has arrived of them is dropped. */
static bool is_copying(struct connection *conn)
{
    char *row = NULL;
    int got;

    if (!conn->is_copying)
        return false;
    while ((got = PQgetCopyData(conn->pg, &row, 1)) > 0)
        PQfreemem(row);
    conn->is_copying = got == 0;
    return conn->is_copying;
}

static bool has_result(struct connection *conn)
{
    return !is_copying(conn) && PQisBusy(conn->pg) == 0;
}

bool connection_work(struct connection *conn)
{
    if (conn->meanwhile != NULL && !conn->meanwhile(conn->meanwhile_context))
        conn->meanwhile = NULL;
    return conn->meanwhile != NULL;
}

/* Takes in what has come while it waits; false when the session broke. */
static bool wait_for_answer(struct connection *conn, int unsent, const struct wait *wait)
{
    const short events = (short)(unsent != 0 ? POLLIN | POLLOUT : POLLIN);

    return !wait_for_socket(conn, events, connection_work(conn) ? deadline_in(0) : next_look(conn, wait)) ||
           PQconsumeInput(conn->pg) == 1 || has_result(conn);
}

bool connection_next_result(struct connection *conn, bool is_cancellable, PGresult **out, struct error *err)
{
    struct wait wait = { .limit = conn->answer_ms > 0 ? deadline_in(conn->answer_ms) : deadline_never(),
                         .until = deadline_never() };

    conn->is_cancellable = is_cancellable;
    for (;;) {
        int unsent = PQflush(conn->pg);

        if (unsent < 0)
            return error_from_loss(conn, err);
        if (unsent == 0 && has_result(conn))
            break;
        if (!check_limits(conn, &wait, err))
            return false;
        if (!wait_for_answer(conn, unsent, &wait))
            return error_from_loss(conn, err);
        if (has_result(conn))
            break;
    }
    *out = PQgetResult(conn->pg);
    if (*out == NULL)
        conn->meanwhile = NULL;
    return true;
}

/* A request that is still on its way would hit the next statement. */
static bool settle_cancel(struct connection *conn)
{
    while (conn->cancel.request != NULL) {
        struct pollfd watched = { .fd = cancel_descriptor(conn->cancel.request),
                                  .events = cancel_events(conn->cancel.request) };

        drive_cancel(&conn->cancel, conn->pg);
        if (conn->cancel.request == NULL)
            return true;
        if (deadline_passed(conn->cancel.reached_by) || signals_are_repeated())
            return false;
        (void)event_loop_poll(&watched, 1, deadline_left_ms(conn->cancel.reached_by));
    }
    return true;
}

bool connection_forget_cancel(struct connection *conn)
{
    bool is_settled = settle_cancel(conn);

    cancel_end(conn->cancel.request);
    conn->cancel.request = NULL;
    return is_settled;
}

bool connection_begin_query(struct connection *conn, struct error *err)
{
    if (conn->is_given_up)
        return error_from_loss(conn, err);
    if (!settle_cancel(conn))
        return give_up(conn, err);
    conn->cancel = (struct cancelling) { .request = NULL };
    conn->is_cancelled = false;
    conn->is_copying = false;
    conn->why[0] = '\0';
    return true;
}

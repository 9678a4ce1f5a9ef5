#include "postgres/connection.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/patience.h"
#include "base/pod.h"
#include "base/signals.h"
#include "postgres/address.h"
#include "postgres/cancel.h"
#include "postgres/internal.h"
#include "postgres/refusal.h"

enum { PARAMETERS_MOST = ENDPOINT_PARAMETERS + 16, RECONNECT_PAUSE_MOST_MS = 5000 };

/* The parameters of every session, unless the URL sets them. User, certificates and timeouts come with the
 * endpoint. The keepalives detect a cut cable within 25 s; tcp_user_timeout does the same while sent bytes
 * are unacknowledged. */
static const struct {
    const char *keyword;
    const char *value;
} STANDARD[] = {
    { "client_encoding", "UTF8" },       { "keepalives", "1" },       { "keepalives_idle", "10" },
    { "keepalives_interval", "5" },      { "keepalives_count", "3" }, { "tcp_user_timeout", "20000" },
    { "fallback_application_name", "" }, /* filled in: others must see who leads */
};

const char *const CONNECTION_RETRY_NAMES[] = {
    [RETRY_CONNECT] = "connect",
    [RETRY_BUDGET] = "too_many_connections",
};
_Static_assert(sizeof CONNECTION_RETRY_NAMES / sizeof *CONNECTION_RETRY_NAMES == CONNECTION_RETRIES,
               "name every reason");

/* The state of this process. */
static struct {
    size_t open;
    size_t retries[CONNECTION_RETRIES];
} counts;

size_t connection_count(void)
{
    return counts.open;
}

size_t connection_retries(enum connection_retry reason)
{
    return counts.retries[reason];
}

static bool endpoint_says(const struct endpoint *where, const char *keyword)
{
    for (size_t i = 0; i < where->count; i++) {
        if (strcmp(where->keywords[i], keyword) == 0)
            return true;
    }
    return false;
}

/* "tidelock POD NAMESPACE"; the server keeps 63 bytes of it. */
static void application_name(struct text *out)
{
    const char *namespace = env_value("POD_NAMESPACE");
    char pod[POD_NAME_SIZE];

    pod_name(pod);
    text_add_format(out, "tidelock %s", pod);
    if (namespace != NULL)
        text_add_format(out, " %s", namespace);
}

/* libpq hands a notice over before the results that arrived ahead of it: where ours and a script's are in one
 * message, only its content tells whose it is. The words around the lock's mode are translated. */
static bool is_of_our_unlock(const PGresult *notice, const char *message)
{
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

    return function != NULL && strcmp(function, "LockRelease") == 0 && strstr(message, "ShareLock") != NULL;
}

/* See QUERY_FLUSH: a script can't cause one of the same name where it is looked for. */
static bool is_of_our_flush(const PGresult *notice)
{
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

    return function != NULL && strcmp(function, "parse_tsquery") == 0;
}

/* NOTICEs and the like go to the log, at the level that matches their severity. */
static void on_notice(void *context, const PGresult *notice)
{
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    const struct connection *conn = context;

    if (message == NULL || conn->is_hushed ||
        (conn->is_preceded && (is_of_our_unlock(notice, message) || is_of_our_flush(notice))))
        return;
    if (conn->listen != NULL) {
        conn->listen(conn->listen_context, message);
        return;
    }
    if (severity != NULL && strcmp(severity, "WARNING") == 0)
        log_warn("server: %s", message);
    else if (severity != NULL && (strcmp(severity, "NOTICE") == 0 || strcmp(severity, "INFO") == 0))
        log_info("server: %s", message);
    else
        log_debug("server: %s", message);
}

static PGconn *start(const struct endpoint *where)
{
    const char *keywords[PARAMETERS_MOST];
    const char *values[PARAMETERS_MOST];
    auto_text struct text name = text_init(256);
    size_t count = 0;

    application_name(&name);
    for (size_t i = 0; i < where->count; i++, count++) {
        keywords[count] = where->keywords[i];
        values[count] = where->values[i];
    }
    for (size_t i = 0; i < array_length(STANDARD); i++) {
        if (endpoint_says(where, STANDARD[i].keyword))
            continue;
        keywords[count] = STANDARD[i].keyword;
        values[count] = STANDARD[i].value[0] == '\0' ? name.at : STANDARD[i].value;
        count++;
    }
    keywords[count] = NULL;
    values[count] = NULL;
    return PQconnectStartParams(keywords, values, 0);
}

/* Waits until the socket is ready for libpq, a signal comes, or the deadline passes. */
static bool wait_socket(PGconn *pg, short events, struct deadline until)
{
    struct pollfd watched[2] = { { .fd = PQsocket(pg), .events = events },
                                 { .fd = signals_descriptor(), .events = POLLIN } };

    (void)event_loop_poll(watched, 2, deadline_left_ms(until));
    return watched[0].revents != 0;
}

/* Drives libpq until the session is established or refused or, if not `is_waiting`, until it would have to
 * wait. */
static void drive(struct connection *conn, bool is_waiting)
{
    struct deadline until = is_waiting ? conn->until : deadline_in(0);

    while (conn->stage == REFUSED_NOT && conn->next != PGRES_POLLING_OK) {
        short events = conn->next == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (conn->next == PGRES_POLLING_FAILED)
            conn->stage = REFUSED_WITH_WORDS;
        else if (signals_pending() != 0)
            conn->stage = REFUSED_BY_SIGNAL;
        else if (is_waiting && deadline_passed(until))
            conn->stage = REFUSED_BY_TIME;
        else if (wait_socket(conn->pg, events, is_waiting && connection_work(conn) ? deadline_in(0) : until))
            conn->next = PQconnectPoll(conn->pg);
        else if (!is_waiting)
            return;
    }
}

static void begin(struct connection *conn, const struct endpoint *where)
{
    conn->cancel_at = deadline_never();
    conn->pg = start(where);
    if (conn->pg == NULL)
        memory_exhausted();
    counts.open++;
    /* Set at once: a login trigger may raise a notice, and libpq's own receiver would print it raw. */
    (void)PQsetNoticeReceiver(conn->pg, on_notice, conn);
    /* Only with this does the message of a refused connection contain its SQLSTATE. */
    (void)PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
    conn->next = PQstatus(conn->pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    drive(conn, false);
}

struct connection *connection_begin(const struct endpoint *where, int64_t timeout_ms)
{
    struct connection *conn = memory_new(1, sizeof *conn);
    auto_arena struct arena *arena = arena_new();
    auto_text struct text said = text_init(sizeof conn->said);
    struct endpoint found;

    conn->where = where;
    conn->timeout_ms = timeout_ms;
    conn->until = timeout_ms > 0 ? deadline_in(timeout_ms) : deadline_never();
    conn->stage = address_resolve(arena, where, conn->until, &found, &said);
    text_copy_cut(conn->said, sizeof conn->said, said.at);
    if (conn->stage == REFUSED_NOT)
        begin(conn, &found);
    return conn;
}

struct connection *connection_begin_beside(const struct connection *conn, int64_t timeout_ms)
{
    struct connection *beside = memory_new(1, sizeof *beside);
    struct endpoint where = *conn->where;

    if (PQhost(conn->pg) != NULL && PQhost(conn->pg)[0] != '\0')
        endpoint_set(&where, "host", PQhost(conn->pg));
    if (PQhostaddr(conn->pg) != NULL && PQhostaddr(conn->pg)[0] != '\0')
        endpoint_set(&where, "hostaddr", PQhostaddr(conn->pg));
    if (PQport(conn->pg) != NULL && PQport(conn->pg)[0] != '\0')
        endpoint_set(&where, "port", PQport(conn->pg));
    beside->where = conn->where;
    beside->timeout_ms = timeout_ms;
    beside->until = deadline_in(timeout_ms);
    begin(beside, &where);
    return beside;
}

void connection_adopt(struct connection *conn, const struct endpoint *where)
{
    const struct connection old = *conn;

    *conn = (struct connection) { .where = where,
                                  .timeout_ms = old.timeout_ms,
                                  .until = old.until,
                                  .next = old.next,
                                  .pg = old.pg,
                                  .shared_journal = old.shared_journal,
                                  .shared_journal_until = old.shared_journal_until,
                                  .checking = old.checking,
                                  .cancel_at = deadline_never() };
    cancel_end(old.cancel.request);
}

static bool finish(struct connection *conn, bool *is_worth_retrying, struct error *err)
{
    drive(conn, true);
    if (conn->stage != REFUSED_NOT) {
        const char *said = conn->pg == NULL ? conn->said : PQerrorMessage(conn->pg);

        *is_worth_retrying = refusal_explain(conn->where, conn->stage, said, conn->timeout_ms, err);
        return false;
    }
    (void)PQsetnonblocking(conn->pg, 1);
    return true;
}

enum connection_state connection_continue(struct connection *conn, struct error *err)
{
    bool ignored;

    drive(conn, false);
    if (conn->stage == REFUSED_NOT && deadline_passed(conn->until) && conn->next != PGRES_POLLING_OK)
        conn->stage = REFUSED_BY_TIME;
    if (conn->stage == REFUSED_NOT && conn->next != PGRES_POLLING_OK)
        return CONNECTION_PENDING;
    return finish(conn, &ignored, err) ? CONNECTION_READY : CONNECTION_REFUSED;
}

int connection_descriptor(const struct connection *conn)
{
    return PQsocket(conn->pg);
}

short connection_events(const struct connection *conn)
{
    return conn->next == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
}

struct connection *connection_reach(struct connection *begun, struct connect_deadlines deadlines,
                                    struct error *err)
{
    auto_connection struct connection *conn = begun;
    struct patience patience = { .pauses = 0 };
    char left[32];

    for (;;) {
        const struct endpoint *where = conn->where;
        int64_t timeout_ms = conn->timeout_ms;
        int64_t pause = backoff_pause_ms(patience.pauses, RECONNECT_PAUSE_MOST_MS);
        bool is_worth_retrying;

        if (finish(conn, &is_worth_retrying, err))
            return steal(&conn);
        patience.until = err->class == ERROR_BUDGET ? deadlines.room : deadlines.reach;
        if (!is_worth_retrying || deadline_left_ms(patience.until) <= pause)
            return NULL;
        if (patience_has_word(&patience, err->message))
            log_wait("waiting for the database, %s at most: %s",
                     duration_text(deadline_left_ms(patience.until), left, sizeof left), err->message);
        connection_close(steal(&conn));
        counts.retries[err->class == ERROR_BUDGET ? RETRY_BUDGET : RETRY_CONNECT]++;
        if (!patience_pause(&patience, pause, err))
            return NULL;
        conn = connection_begin(where, timeout_ms);
    }
}

void connection_close(struct connection *conn)
{
    if (conn == NULL)
        return;
    if (conn->pg != NULL)
        counts.open--;
    cancel_end(conn->cancel.request);
    PQfinish(conn->pg);
    memory_free(conn);
}

void connection_close_at(struct connection **conn)
{
    connection_close(*conn);
}

int connection_server_version(const struct connection *conn)
{
    return PQserverVersion(conn->pg);
}

void connection_add_server(const struct connection *conn, struct text *out)
{
    endpoint_add_server(slice_of(PQhost(conn->pg)), slice_of(PQport(conn->pg)), out);
}

int connection_backend_pid(const struct connection *conn)
{
    return PQbackendPID(conn->pg);
}

void connection_hush(struct connection *conn, bool is_hushed)
{
    conn->is_hushed = is_hushed;
}

bool connection_is_in_transaction(const struct connection *conn)
{
    PGTransactionStatusType status = PQtransactionStatus(conn->pg);

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void connection_meanwhile(struct connection *conn, connection_step *step, void *context)
{
    conn->meanwhile = step;
    conn->meanwhile_context = context;
}

void connection_listen(struct connection *conn, connection_listener *listen, void *context)
{
    conn->listen = listen;
    conn->listen_context = context;
}

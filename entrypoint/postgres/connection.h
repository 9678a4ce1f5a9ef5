/*
 * One session on the server: opened within a deadline, closed for sure.
 *
 * Everything is asynchronous below: waiting always looks at the signal, too, so that SIGTERM
 * cancels what runs. A connection that broke stays broken; open another.
 */
#ifndef POSTGRES_CONNECTION_H
#define POSTGRES_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "config/url.h"

struct connection;

#define auto_connection __attribute__((cleanup(connection_close_at)))

/* Begins to connect: looks the host up and goes as far as it gets without waiting for the server. Never NULL;
 * what went wrong is told by connection_reach(). One try is given up after `timeout_ms` (over all addresses
 * of all hosts together). `where` must live as long as the connection. */
must_use struct connection *connection_begin(const struct endpoint *where, int64_t timeout_ms);

/* Begins a second connection to the very server that `conn`, which must be complete and outlive it, is
 * connected to: nothing is looked up. One try. */
must_use struct connection *connection_begin_beside(const struct connection *conn, int64_t timeout_ms);

/* Goes on with what was begun as far as that takes no waiting. */
enum connection_state { CONNECTION_PENDING, CONNECTION_READY, CONNECTION_REFUSED };
enum connection_state connection_continue(struct connection *conn, struct error *err);

/* For poll(): what connection_continue() or query_continue() waits for. */
int connection_descriptor(const struct connection *conn);
short connection_events(const struct connection *conn);

/* How long to try: to reach the server at all, and to find room on one that has no connection left. */
struct connect_deadlines {
    struct deadline reach;
    struct deadline room;
};

/* Completes what was begun, which it takes over; where it is worth it (refused, starting up, name not yet
 * known, no connection left; not password, missing database, TLS) tries again with growing pauses until the
 * deadline. Logs the first failure and then every change of the reason. NULL on failure: ERROR_USAGE,
 * ERROR_UNREACHABLE, ERROR_BUDGET, ERROR_INTERRUPTED. */
must_use struct connection *connection_reach(struct connection *begun, struct connect_deadlines deadlines,
                                             struct error *err);

void connection_close(struct connection *conn);
void connection_close_at(struct connection **conn);

/* How many this process has open, or is opening. */
size_t connection_count(void);

/* How often this process tried again to connect, and why. */
enum connection_retry { RETRY_CONNECT, RETRY_BUDGET, CONNECTION_RETRIES };
extern const char *const CONNECTION_RETRY_NAMES[];
size_t connection_retries(enum connection_retry reason);

/* While it is shielded, a signal does not cancel what runs here: it is cleaning up, and has CANCEL_GRACE_MS
 * for each query once a signal has come. A connection whose query was cancelled is shielded by itself. */
void connection_shield(struct connection *conn, bool is_shielded);

/* From now on an answer that takes longer than `ms` (0 = however long) counts as a connection that broke
 * (ERROR_LOST). */
void connection_limit_answers(struct connection *conn, int64_t ms);

/* Cancels what runs here now, if anything does; it then fails with `class` and "cancelled: `why`". */
void connection_cancel(struct connection *conn, enum error_class class, const char *why);

/* From now on what runs here longer than until `at` is cancelled so, with ERROR_CLEAN; deadline_never() ends
 * it. `why` must live as long. */
void connection_cancel_at(struct connection *conn, struct deadline at, const char *why);

/* Whether a query was sent that is not answered yet. */
bool connection_is_busy(const struct connection *conn);

/* The server's version as a number, 150004 for 15.4. */
int connection_server_version(const struct connection *conn);

/* The process that the server announced when the session began; behind a pooler it isn't the one that works.
 */
int connection_backend_pid(const struct connection *conn);

/* Whether the session is in a transaction block, or in one that failed. */
bool connection_is_in_transaction(const struct connection *conn);

/* Whether the session is gone. */
bool connection_is_lost(const struct connection *conn);

#endif

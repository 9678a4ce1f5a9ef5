/*
 * One session on the server: opened within a deadline, and always closed.
 *
 * Everything below is asynchronous: every wait also watches for signals, so that SIGTERM cancels the current
 * statement. A broken connection stays broken; open another.
 */
#ifndef POSTGRES_CONNECTION_H
#define POSTGRES_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "config/url.h"

struct connection;

#define auto_connection __attribute__((cleanup(connection_close_at)))

/* Starts connecting: looks up the host and goes as far as possible without waiting for the server. Never
 * NULL; connection_reach() reports what went wrong. One attempt is given up after `timeout_ms` (for all
 * addresses of all hosts together). `where` must live as long as the connection. */
must_use struct connection *connection_begin(const struct endpoint *where, int64_t timeout_ms);

/* Starts a second connection to the same server that `conn`, which must be complete and outlive it, is
 * connected to: without a lookup. One attempt. */
must_use struct connection *connection_begin_beside(const struct connection *conn, int64_t timeout_ms);

/* From now on an idle session is one for `where`, which has the parameters that it began with and must live
 * as long: what was arranged with it so far is forgotten. */
void connection_adopt(struct connection *conn, const struct endpoint *where);

/* Continues connecting, as far as possible without waiting. */
enum connection_state { CONNECTION_PENDING, CONNECTION_READY, CONNECTION_REFUSED };
enum connection_state connection_continue(struct connection *conn, struct error *err);

/* For poll(): what connection_continue() or query_continue() waits for. */
int connection_descriptor(const struct connection *conn);
short connection_events(const struct connection *conn);

/* How long to try: to reach the server at all, and to get a connection from one that has none left. */
struct connect_deadlines {
    struct deadline reach;
    struct deadline room;
};

/* Completes a started connection, which it takes over; retries with growing pauses until the deadline if that
 * may help (refused, starting up, name not yet known, no connection left; not password, missing database,
 * TLS). Logs the first failure and then every change of the reason. NULL on failure: ERROR_USAGE,
 * ERROR_UNREACHABLE, ERROR_BUDGET, ERROR_INTERRUPTED. */
must_use struct connection *connection_reach(struct connection *begun, struct connect_deadlines deadlines,
                                             struct error *err);

void connection_close(struct connection *conn);
void connection_close_at(struct connection **conn);

/* How many connections this process has open or is opening. */
size_t connection_count(void);

/* How often this process retried to connect, and why. */
enum connection_retry { RETRY_CONNECT, RETRY_BUDGET, CONNECTION_RETRIES };
extern const char *const CONNECTION_RETRY_NAMES[];
size_t connection_retries(enum connection_retry reason);

/* While a connection is shielded, a signal does not cancel its statement: it is cleaning up, and has
 * a few seconds for each query after a signal. A connection whose query was cancelled becomes shielded.
 * Returns whether it was before. */
bool connection_shield(struct connection *conn, bool is_shielded);

/* Until it is called again: what the server has to say of a statement of ours concerns nobody. */
void connection_hush(struct connection *conn, bool is_hushed);

/* Something that can be done while the session is established, or the next answer waited for, in steps of
 * less than a millisecond: `step` is called until it returns false, or all of the answer is there. */
typedef bool connection_step(void *context);
void connection_meanwhile(struct connection *conn, connection_step *step, void *context);

/* From now on what the server says besides its answers goes to `listen` instead of the log; NULL ends that.
 */
typedef void connection_listener(void *context, const char *message);
void connection_listen(struct connection *conn, connection_listener *listen, void *context);

/* Waits for a cancel request that is still on its way, and no longer than it may take; then what comes next
 * is sent all the same, where otherwise the connection would be given up. False if the request may hit that.
 */
bool connection_forget_cancel(struct connection *conn);

/* From now on an answer that takes longer than `ms` (0 = no limit) counts as a broken connection
 * (ERROR_LOST). */
void connection_limit_answers(struct connection *conn, int64_t ms);

/* Cancels the current statement, if there is one that may be; it then fails with `class` and "cancelled:
 * `why`". Never waits: the wait for the statement's answer looks after the request. If the server cannot be
 * reached for that or does not react, the connection is given up: the statement has failed in the same way,
 * and connection_is_lost(). */
void connection_cancel(struct connection *conn, enum error_class class, const char *why);

/* From now on a statement that still runs at `at` is cancelled in this way, with ERROR_CLEAN, and what is
 * sent after it has some seconds more; deadline_never() turns it off. `why` must stay valid until then. */
void connection_cancel_at(struct connection *conn, struct deadline at, const char *why);

/* Whether a query has been sent and not yet answered. */
bool connection_is_busy(const struct connection *conn);

/* The server's version as a number, 150004 for 15.4. */
int connection_server_version(const struct connection *conn);

/* The backend's process id, as announced when the session began; behind a pooler it is not the one that does
 * the work.
 * */
int connection_backend_pid(const struct connection *conn);

/* Adds "host:port" of the server that this is connected to: one of those that the endpoint, libpq's variables
 * or a service file name. */
void connection_add_server(const struct connection *conn, struct text *out);

/* Whether the session is in a transaction block, or in one that failed. */
bool connection_is_in_transaction(const struct connection *conn);

/* Until it is called again: what the server notices about a statement of ours concerns nobody. */
void connection_hush(struct connection *conn, bool is_hushed);

/* Names the schema that queries with is_in_journal mean, for as long as the connection lasts. */
void connection_set_journal(struct connection *conn, const char *schema);

/* Its name, quoted; empty if it has not been named. */
const char *connection_journal(const struct connection *conn);

/* The journal that schemas share is there, and holds these tables (bits of history/journal_table.h) as it
 * should. Believed for a second, also in a session that is handed on; 0 = not known. */
void connection_know_shared_journal(struct connection *conn, unsigned tables);
unsigned connection_shared_journal(const struct connection *conn);

/* Whether its server can notice that the client is gone (postgres/session.h), also in a session that is
 * handed on. */
enum connection_checking { CHECKING_UNKNOWN, CHECKING_NO, CHECKING_YES };
void connection_know_checking(struct connection *conn, bool can_check);
enum connection_checking connection_checking(const struct connection *conn);

/* Whether the session is gone. */
bool connection_is_lost(const struct connection *conn);

#endif

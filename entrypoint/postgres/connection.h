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

/* One try to connect, given up after `timeout_ms` (over all addresses of all hosts together). NULL and `err`
 * on failure; *is_worth_retrying tells whether the same try may succeed a moment later (refused, starting up,
 * name not yet known) or not (password, missing database, TLS). Errors: ERROR_USAGE, ERROR_UNREACHABLE,
 * ERROR_BUDGET, ERROR_INTERRUPTED. */
must_use struct connection *connection_open(const struct endpoint *where, int64_t timeout_ms,
                                            bool *is_worth_retrying, struct error *err);

/* Tries again, with growing pauses, until `until`; logs the first failure and then every change of the
 * reason. */
must_use struct connection *connection_reach(const struct endpoint *where, int64_t timeout_ms,
                                             struct deadline until, struct error *err);

void connection_close(struct connection *conn);
void connection_close_at(struct connection **conn);

/* From now on a signal no longer cancels what runs here: it is cleaning up, and has CANCEL_GRACE_MS for each
 * query once a signal has come. A connection whose query was cancelled is shielded by itself. */
void connection_shield(struct connection *conn);

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

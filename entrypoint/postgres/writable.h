/*
 * A session that may write: recognized, and waited for.
 *
 * A standby, and a database or role with default_transaction_read_only, accept a session and then refuse
 * every write in it (25006). No script is to blame, and it may pass: a failover, a disk that was full,
 * maintenance.
 */
#ifndef POSTGRES_WRITABLE_H
#define POSTGRES_WRITABLE_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"
#include "postgres/connection.h"

/* Whether a new transaction of this session may write, whatever a script has SET in it; if not, fills `why`:
 * ERROR_READ_ONLY with SQLSTATE 25006, who set it, and the remedy. One round trip; the session must be
 * idle. */
must_use bool writable_find(struct connection *conn, bool *is_writable, struct error *why, struct error *err);

/* Whether `err` says that a session could not write. */
bool writable_is_missing(const struct error *err);

/* As reach_database(), but a session that may write: waits for one until the deadline for connecting, and
 * asks every host of the URL for it. ERROR_READ_ONLY with the reason. */
must_use struct connection *writable_reach(const struct config *config, struct endpoint *endpoint,
                                           struct error *err);

#endif

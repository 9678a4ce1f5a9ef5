/*
 * Waiting for the server's answer. Of this room.
 *
 * No answer is waited for without looking at signals, at limits and at whatever else the process does; a
 * statement that has to end is cancelled, and where that does not help the connection is given up.
 */
#ifndef POSTGRES_ANSWER_H
#define POSTGRES_ANSWER_H

#include "postgres/internal.h"

/* Before anything is sent. False when nothing can be sent any more: then `err` says why. */
must_use bool connection_begin_query(struct connection *conn, struct error *err);

/* Waits for the next result of what was sent. NULL in *out means no further result. With `is_cancellable`, a
 * pending signal or a limit cancels the statement. False when the session broke or was given up: ERROR_LOST,
 * ERROR_INTERRUPTED, or the class of the limit. The result is the caller's (PQclear). */
must_use bool connection_next_result(struct connection *conn, bool is_cancellable, PGresult **out,
                                     struct error *err);

/* Fills ERROR_LOST with the reason libpq knows. Returns false. */
bool error_from_loss(struct connection *conn, struct error *err);

#endif

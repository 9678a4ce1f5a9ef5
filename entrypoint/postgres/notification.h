/*
 * What other sessions of the same database say with NOTIFY, to those that LISTEN.
 *
 * It arrives at any time, also with the answer to a query. Whoever may connect to the database can send one,
 * with any text; only the number of its sender's process is the server's own word.
 */
#ifndef POSTGRES_NOTIFICATION_H
#define POSTGRES_NOTIFICATION_H

#include <stdbool.h>

#include "base/text.h"
#include "postgres/connection.h"

/* Takes in what has arrived, while no query is on its way. Call it when the connection's descriptor is ready.
 * False when the session broke. */
must_use bool notification_receive(struct connection *conn);

/* Takes the next one of those that have arrived: its sender's process, and its text in place of what
 * `payload` held. False = there is none. */
must_use bool notification_next(struct connection *conn, int *sender, struct text *payload);

#endif

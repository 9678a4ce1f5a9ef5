/*
 * Questions and writes of our own beside a script, without what it has set: in a transaction of their own and
 * under the leader lock, or in the middle of the script's.
 */
#ifndef POSTGRES_ASIDE_H
#define POSTGRES_ASIDE_H

#include "base/error.h"
#include "postgres/connection.h"
#include "postgres/query.h"
#include "postgres/session.h"

enum { ASIDE_ITEMS_MOST = 8, ASIDE_EXTRA = 3 + SESSION_ASIDES };

/* Runs at most ASIDE_ITEMS_MOST statements; one round trip. `key` is that of the leader lock, taken for the
 * transaction and the session; NULL = for one that only reads. `out` gets the rows of the last one, or is
 * NULL. Must not run inside a transaction. ERROR_LEADER if another session leads. */
must_use bool aside_run(struct connection *conn, const char *key, const struct batch *own,
                        struct result **out, struct error *err);

/* The same without a key, rolled back at its end: for what is somebody else's to write, and must leave
 * nothing behind, not even a setting of the session. */
must_use bool aside_ask(struct connection *conn, const struct batch *own, struct result **out,
                        struct error *err);

/* In the script's transaction: between the two, without its role and its statement_timeout; whatever is
 * written meanwhile is taken back, and the script's settings are in force again (documentation, "ROLLBACK TO
 * SAVEPOINT"). One round trip each. Not to be left after a failure: only ROLLBACK helps then. */
must_use bool aside_enter(struct connection *conn, struct error *err);
must_use bool aside_leave(struct connection *conn, struct error *err);

#endif

/*
 * Is there a pooler between us and the server? Detected by what it does.
 *
 * A pooler passes the server's version, parameters and errors through and can have any name; but it reports a
 * process id of its own, and in transaction mode it lets two clients share one server session. So does a
 * program that serves many clients with the only session that it has (PGlite), which is a standalone backend.
 */
#ifndef POSTGRES_POOLER_H
#define POSTGRES_POOLER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "config/url.h"
#include "postgres/connection.h"

enum pooling {
    POOLING_UNKNOWN,     /* nobody has looked yet */
    POOLING_NONE,        /* the server itself, or a pooler that gives us a session of our own */
    POOLING_TRANSACTION, /* each transaction may run in another session, which others use after us */
};

/* The session that answers, and the type it has where that is the server's own: its row is never hidden
 * from it. */
#define POOLER_OWN_SESSION                                                                                   \
    "SELECT a.pid, a.backend_type FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a"
#define POOLER_OWN_TYPE "client backend"

/* Whether something other than the server answers on this connection. One round trip. */
must_use bool pooler_is_between(struct connection *conn, bool *is_between, struct error *err);

/* Opens a second connection beside `conn` and asks both in turn which server session serves them, until the
 * answer is certain; takes milliseconds, or up to seconds if the pool is full: then `conn` may be lost. If it
 * cannot be determined, the answer is POOLING_TRANSACTION, which is safe in any case. ERROR_USAGE if
 * transactions are not supported at all. */
must_use bool pooler_detect(struct connection *conn, const struct endpoint *where, int64_t timeout_ms,
                            enum pooling *out, struct error *err);

/* What a script may leave in a session that others use after us, and no ROLLBACK undoes: advisory locks of
 * the session and prepared statements. Adds a SELECT of one text, which says what is there before the script;
 * at most POOLER_LOOK_MOST bytes of it are of use. */
enum { POOLER_LOOK_MOST = 256 * 1024 };
void pooler_add_look(struct text *sql);

/* The same, for a message that goes on behind the script: what is there is kept until the transaction ends,
 * and its check fails (division by zero) where more is there. The check comes before the settings are reset.
 */
void pooler_add_note(struct text *sql);
void pooler_add_check(struct text *sql);

/* Adds a statement that releases what was not there in `before`, that text. For right after the end of the
 * transaction, in the same message or pipeline: after that, another session may answer. */
void pooler_add_release(const struct text *before, struct text *sql);

#endif

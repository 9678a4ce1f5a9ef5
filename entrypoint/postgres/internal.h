/*
 * What the files of this room share and no other file sees: libpq's types.
 */
#ifndef POSTGRES_INTERNAL_H
#define POSTGRES_INTERNAL_H

#include <libpq-fe.h>

#include "postgres/connection.h"
#include "postgres/refusal.h"
#include "sql/name.h"

struct connection {
    const struct endpoint *where;
    int64_t timeout_ms; /* for one attempt to connect */
    struct deadline until;
    enum refusal_stage stage;       /* while connecting: why it can't go on */
    PostgresPollingStatusType next; /* while connecting: what libpq waits for */
    char said[1024];                /* when the host could not be looked up: why */

    PGconn *pg;        /* NULL when the host could not be looked up */
    bool is_cancelled; /* a cancel request was sent for the current statement */
    char why[256];     /* … by connection_cancel(), for this reason; else empty */
    enum error_class cancel_class;
    struct deadline cancel_at; /* see connection_cancel_at() */
    const char *cancel_why;
    bool is_shielded;                      /* see connection_shield() */
    int64_t answer_ms;                     /* see connection_limit_answers(); 0 = no limit */
    char journal[2 * IDENTIFIER_SIZE + 2]; /* see connection_set_journal(); empty = not known */
    bool is_given_up; /* an answer took longer than that, or made no sense: no more queries are sent */
};

/* How long a wait continues after a signal: a cancelled statement ends at once, unless the server is
 * stuck. */
enum { CANCEL_GRACE_MS = 4000 };

/* Waits for the next result of what was sent. NULL in *out means no further result. With `is_cancellable`, a
 * pending signal sends a cancel request and the wait continues for at most CANCEL_GRACE_MS. False when the
 * session broke or the grace ended: ERROR_LOST or ERROR_INTERRUPTED. The result is the caller's (PQclear). */
must_use bool connection_next_result(struct connection *conn, bool is_cancellable, PGresult **out,
                                     struct error *err);

/* Fills `err` from a failed result: class, SQLSTATE, message, detail, hint, position. Returns false. */
bool error_from_result(struct connection *conn, const PGresult *result, struct error *err);

/* Fills ERROR_LOST with the reason libpq knows. Returns false. */
bool error_from_loss(struct connection *conn, struct error *err);

#endif

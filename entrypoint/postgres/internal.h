/*
 * What the files of this room share and no other file sees: libpq's types.
 */
#ifndef POSTGRES_INTERNAL_H
#define POSTGRES_INTERNAL_H

#include <libpq-fe.h>

#include "postgres/cancel.h"
#include "postgres/connection.h"
#include "postgres/refusal.h"
#include "sql/name.h"

/* The current statement is being cancelled. */
struct cancelling {
    struct cancel *request;     /* on its way; NULL = none */
    bool is_delivered;          /* one has reached the server */
    bool has_failed;            /* one was refused; that was said */
    struct deadline again_at;   /* when another one is sent */
    struct deadline reached_by; /* when the connection is given up: one has not reached it, … */
    struct deadline ended_by;   /* … or the statement has not ended */
};

struct connection {
    const struct endpoint *where;
    int64_t timeout_ms; /* for one attempt to connect */
    struct deadline until;
    enum refusal_stage stage;       /* while connecting: why it can't go on */
    PostgresPollingStatusType next; /* while connecting: what libpq waits for */
    char said[1024];                /* when the host could not be looked up: why */

    PGconn *pg;          /* NULL when the host could not be looked up */
    bool is_cancellable; /* what is waited for now */
    bool is_cancelled;   /* the current statement is to end */
    char why[256];       /* … by connection_cancel(), for this reason; else empty */
    enum error_class cancel_class;
    struct cancelling cancel;
    struct deadline cancel_at; /* see connection_cancel_at() */
    const char *cancel_why;
    bool is_copying;                       /* the server sends rows of a COPY, which nobody wants */
    bool is_shielded;                      /* see connection_shield() */
    int64_t answer_ms;                     /* see connection_limit_answers(); 0 = no limit */
    char journal[2 * IDENTIFIER_SIZE + 2]; /* see connection_set_journal(); empty = not known */
    bool is_given_up; /* an answer took longer than that, or made no sense: no more queries are sent */
};

/* Fills `err` from a failed result: class, SQLSTATE, message, detail, hint, position. Returns false. */
bool error_from_result(struct connection *conn, const PGresult *result, struct error *err);

#endif

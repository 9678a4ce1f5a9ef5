/*
 * What the files of this room share and no other file sees: libpq's types.
 */
#ifndef POSTGRES_INTERNAL_H
#define POSTGRES_INTERNAL_H

#include <libpq-fe.h>

#include "postgres/cancel.h"
#include "postgres/connection.h"
#include "postgres/query.h"
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
    bool is_copying;            /* the server sends rows of a COPY, which nobody wants */
    bool is_shielded;           /* see connection_shield() */
    bool is_hushed;             /* see connection_hush() */
    bool is_preceded;           /* see query_script_behind(), query_transactions() */
    connection_step *meanwhile; /* see connection_meanwhile(); NULL = nothing */
    void *meanwhile_context;
    connection_listener *listen; /* see connection_listen(); NULL = nobody */
    void *listen_context;
    int64_t answer_ms;                     /* see connection_limit_answers(); 0 = no limit */
    char journal[2 * IDENTIFIER_SIZE + 2]; /* see connection_set_journal(); empty = not known */
    unsigned shared_journal;               /* see connection_know_shared_journal() … */
    struct deadline shared_journal_until;  /* … until when */
    enum connection_checking checking;     /* see connection_know_checking() */
    bool is_given_up; /* an answer took longer than that, or made no sense: no more queries are sent */
};

/* Does a step of what can be done meanwhile; whether there is more to do than to wait. */
bool connection_work(struct connection *conn);

/* Fills `err` from a failed result: class, SQLSTATE, message, detail, hint, position. Returns false. */
bool error_from_result(struct connection *conn, const PGresult *result, struct error *err);

bool query_is_failure(const PGresult *result);

/* A failure without SQLSTATE is libpq's own: it could not parse an answer, has dropped it, and would wait
 * forever for its content. */
bool query_is_of_server(const PGresult *result);

/* The server ends the session with this message. */
bool query_is_last_word(const PGresult *result);

/* Collects the results of one query. */
struct tally {
    bool is_script;
    bool is_uncancellable;
    query_listener *listener; /* or NULL */
    void *context;
    struct result **kept; /* those with rows, at most `most` */
    size_t most;
    size_t count;
    size_t completed; /* statements that the server reported as done … */
    size_t before;    /* … up to the first result that was kept */
    bool has_failed;
    bool has_ended; /* with the server's last word, which says why the connection is then gone */
};

/* Sends one statement with its parameters; false when the session broke. */
bool query_send(struct connection *conn, const struct query *query, const char *const *parameters);

/* Reads results until the query is over; the first failure fills `err`. */
bool query_read(struct connection *conn, struct tally *tally, struct error *err);

/* The answer makes no sense, and nothing after it can be trusted. Returns false. */
bool query_lose_trust(struct connection *conn, struct error *err);

/* Our statements have no names. Where one is gone between its parse and its bind, or has become another,
 * another client of this session has sent one meanwhile: nothing that is answered here can be trusted. What a
 * trigger or a function raises has a context. Returns false. */
bool query_check_shared(struct connection *conn, struct error *err);

void query_log_duration(const char *name, int64_t started_us);

#endif

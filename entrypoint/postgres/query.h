/*
 * Queries: one with parameters, or several in one round trip.
 *
 * A failed query fills the error with the server's message; its class comes from the SQLSTATE table, or is
 * ERROR_INTERRUPTED if a signal cancelled it, ERROR_LOST if the session broke.
 */
#ifndef POSTGRES_QUERY_H
#define POSTGRES_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"

/* A statement of ours; debug logs and errors use its name. */
struct query {
    const char *name;
    const char *sql;
    int parameters;
    bool is_in_journal; /* "{journal}" in it is the schema that connection_set_journal() named */
};

/* A part of a statement that begins WITH RECURSIVE: tree (oid) holds the table that the query `root` selects,
 * its partitions and whatever else inherits from it, each once. */
#define INHERITANCE_TREE(root)                                                                               \
    "tree (oid) AS (" root                                                                                   \
    " UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i"                                              \
    " JOIN tree AS t ON t.oid OPERATOR(pg_catalog.=) i.inhparent)"

/* The rows of one statement; every value is text. Values live as long as the result. */
struct result;

#define auto_result __attribute__((cleanup(result_free_at)))

void result_free(struct result *result);
void result_free_at(struct result **result);

int result_rows(const struct result *result);
int result_columns(const struct result *result);
const char *result_column(const struct result *result, int column); /* its name */
bool result_is_null(const struct result *result, int row, int column);
const char *result_text(const struct result *result, int row, int column); /* "" for null */
bool result_bool(const struct result *result, int row, int column);
int64_t result_number(const struct result *result, int row, int column); /* 0 if it is not a number */

/* One statement, parameters as text (NULL = null), one round trip. `out` may be NULL if the rows do not
 * matter. */
must_use bool query_run(struct connection *conn, const struct query *query, const char *const *parameters,
                        struct result **out, struct error *err);

/* Several statements without parameters in one message, hence (outside a transaction block) one implicit
 * transaction. results[i] gets what the i-th of those that return rows returned, at most `count` of them;
 * slots that got nothing are NULL. The first failure ends the rest and what came before it is kept. */
must_use bool query_several(struct connection *conn, const struct query *query, struct result **results,
                            size_t count, struct error *err);

/* A statement of a batch. */
struct batch_item {
    const struct query *query;
    const char *const *parameters;
};

struct batch {
    const struct batch_item *items;
    size_t count;
    size_t cancellable; /* so many from the first one; COMMIT is not: cancelled, it may commit all the same */
    struct result **rows; /* gets those of item number `rows_of`; NULL = they don't matter */
    size_t rows_of;
    size_t *failed;      /* gets the number of the item that failed (`count` when the session broke and nobody
                            knows); may be NULL */
    bool is_one_message; /* wanted as one simple query, which costs the server about half: then it can be
                            cancelled only if all of it can, and no rows are kept */
};

/* Sends all items in one round trip; after a failure the server skips the rest. In pipeline mode, or as one
 * message where that is wanted and nothing in it depends on the session's client_encoding. */
must_use bool query_batch(struct connection *conn, const struct batch *batch, struct error *err);

/* A query that nobody waits for: statements without parameters, asked while something else is waited for. */
enum { PENDING_RESULTS = 4 };
struct pending {
    struct result *results[PENDING_RESULTS]; /* as query_several() keeps them */
    size_t count;
    bool has_failed;
};

/* Sends it; false when the session broke. */
must_use bool query_begin(struct connection *conn, const char *sql, struct pending *pending);

/* Takes what has arrived. Call it when the connection's descriptor is ready; `err` is filled on QUERY_FAILED.
 */
enum query_state { QUERY_PENDING, QUERY_DONE, QUERY_FAILED };
enum query_state query_continue(struct connection *conn, struct pending *pending, struct error *err);

void pending_free(struct pending *pending);

/* Sends a script as one simple query, cancellable by a signal. *completed counts the statements that the
 * server reported as done, in their order; an empty statement is not reported. Rows are discarded. `script`
 * must be NUL-terminated. */
must_use bool query_script(struct connection *conn, const char *script, size_t *completed, struct error *err);

/* The same in two steps: what is done between them, the server need not wait for. Nothing else may be sent
 * there. */
must_use bool query_script_start(struct connection *conn, const char *script, struct error *err);
must_use bool query_script_finish(struct connection *conn, size_t *completed, struct error *err);

/* The same with statements of ours in front, of which the last one alone returns a row: *row, or NULL if the
 * server did not get there. *completed counts only what comes after it. Before it, a shared advisory
 * lock may be released that is not held any more: that concerns nobody. */
must_use bool query_script_behind(struct connection *conn, const char *message, struct result **row,
                                  size_t *completed, struct error *err);

/* Is told of a statement that is done: its number in its message, from 0, its command tag, and its rows or
 * NULL. False: that is not what was sent, and nothing that follows can be trusted. */
typedef bool query_listener(void *context, size_t number, const char *tag, const struct result *rows);

struct transactions {
    const char *sql;
    size_t statements; /* so many are in it */
    query_listener *listener;
    void *context;
    size_t completed; /* gets how many are done … */
    bool has_ended;   /* … when the server ended the session, and said so */
};

/* Several transactions in one simple query, cancellable by a signal; the listener is told of each statement
 * as soon as its answer is here. From a COMMIT to the next rows, neither QUERY_FLUSH nor such an advisory
 * lock is heard of. */
must_use bool query_transactions(struct connection *conn, struct transactions *transactions,
                                 struct error *err);

/* An expression that lets the server send the answers that it has kept until then, if it has worked on the
 * message for a while: it does so with every NOTICE. Otherwise they come when they are 8 kB, or at the
 * message's end; always so where client_min_messages forbids NOTICE. */
#define QUERY_FLUSH                                                                                          \
    "(CASE WHEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>)"                                         \
    " (pg_catalog.now() OPERATOR(pg_catalog.+) '50 ms'::pg_catalog.interval)"                                \
    " THEN '' ELSE 'a' END)::pg_catalog.tsquery"

/* Adds an item of a batch as text, with its parameters as constants, and a semicolon. */
void batch_item_add(const struct batch_item *item, struct text *out);

/* In the message of an ERROR_LOST: what hands out the sessions gives this one to others at the same time, who
 * overwrite what is sent in it. */
#define QUERY_SHARED "another client uses the same session of the server"

#endif

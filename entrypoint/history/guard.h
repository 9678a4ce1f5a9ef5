/*
 * Before the ledger is touched: is it the table of somebody we trust, and do we see all of it?
 *
 * The name is found through a search_path to which others may have access, and a view, rule, trigger or
 * policy of a stranger's would run with our rights. The check travels in the same message as the read that it
 * guards: it fails, and the server does not get to the read.
 */
#ifndef HISTORY_GUARD_H
#define HISTORY_GUARD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "postgres/connection.h"
#include "postgres/query.h"

/* What is going to be done with the table, and how much is looked at for that. */
enum guard_use {
    GUARD_GLANCE, /* the read that every start pays for: its policies are not looked at, so that under row
                     security it fails */
    GUARD_READ,
    GUARD_WRITE, /* a read that may be followed by writes: triggers are looked at, too */
};

/* The table, and how it was named. */
struct guard {
    const char *table; /* quoted, qualified when the URL names the schema */
    bool is_schema_given;
    bool is_only_read; /* nothing is written, later either. A plain table may then also belong to the owner of
                          the schema that the URL names: who owns a schema decides what is in it, and such a
                          read runs no code of others */
    enum guard_use use;
    bool tells_shape; /* the row has the columns of shape.h, too */
};

/* A condition on table c: reading it runs nothing but the server's own code, and it is its schema's owner's.
 */
#define IS_PLAIN_AND_OF_SCHEMA_OWNER                                                                         \
    "(c.relowner OPERATOR(pg_catalog.=) (SELECT n.nspowner FROM pg_catalog.pg_namespace AS n"                \
    "    WHERE n.oid OPERATOR(pg_catalog.=) c.relnamespace) AND c.relkind OPERATOR(pg_catalog.=) 'r'"        \
    " AND NOT c.relhassubclass AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS x"                     \
    "   JOIN pg_catalog.pg_type AS y ON y.oid OPERATOR(pg_catalog.=) x.atttypid"                             \
    "  WHERE x.attrelid OPERATOR(pg_catalog.=) c.oid AND x.attnum OPERATOR(pg_catalog.>) 0"                  \
    "    AND y.typnamespace OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace))"

/* How many columns its row has before these. */
enum { GUARD_COLUMNS = 3 };

/* Adds a statement that returns a row, or fails: with SQLSTATE 42P01 or 3F000 when there is no such table,
 * 22P02 when it is a stranger's. For the statements after it in the same message (that is, one transaction)
 * the search_path is the table's schema, so that they cannot find another; and row security raises an error
 * (42501) instead of hiding rows, unless a policy shows all of them. */
void guard_add(const struct guard *guard, struct text *sql);

/* The table's schema, as its row tells it; in the arena. */
char *guard_schema(struct arena *arena, const struct result *guarded);

/* After a failure of that statement or of the read behind it: asks the server who owns the table and which
 * policies apply, and says what to do. Leaves other errors alone. Returns false. */
bool guard_explain(struct connection *conn, const struct guard *guard, struct error *err);

#endif

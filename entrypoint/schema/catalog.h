/*
 * Reading the facts of a schema from the server's catalog: all schemas that people use, in transactions that
 * only read. The server locks the tables that a view, rule, policy or function mentions to say how it is
 * defined: those are asked for apart, and give way to others at once.
 *
 * Objects of extensions, the ledger, and the journal are no facts. Nothing that may be a secret is: passwords
 * of servers and subscriptions, values of settings.
 */
#ifndef SCHEMA_CATALOG_H
#define SCHEMA_CATALOG_H

#include "base/error.h"
#include "base/memory.h"
#include "dialect/dialect.h"
#include "postgres/connection.h"
#include "schema/facts.h"

/* Whose schema it is. */
struct catalog_request {
    const struct dialect *dialect; /* says what a ledger is called */
    const char *own_schema; /* that of the ledger: schemas with a ledger of somebody else's are left out; NULL
                               = none is */
    const char
        *alone; /* only this schema is read, and nothing of what belongs to the database; NULL = all are */
    int64_t relations_most; /* a schema of more tables, indexes and the like is not read; 0 = any is */
};

/* The facts, sorted; they live in the arena; or only that there are too many. Any role will do.
 * ERROR_TABLE_LOCK when a table stays locked for longer than a few seconds: the server needs it to say how a
 * view is defined. */
must_use bool catalog_read(struct arena *arena, struct connection *conn, const struct catalog_request *wanted,
                           struct facts *out, struct error *err);

/* The schemas that hold the ledger of somebody else, as they stand in names. */
struct neighbours {
    const char **schemas;
    size_t count;
};

/* Finds them: `own_schema` must be given. They live in the arena. */
must_use bool catalog_find_neighbours(struct arena *arena, struct connection *conn,
                                      const struct catalog_request *wanted, struct neighbours *out,
                                      struct error *err);

/* What facts are read, and how, from a server of that major version, of the schema `alone` or, where that is
 * NULL, of all, as a SHA-256: facts that were read in another way cannot be compared. */
void catalog_form(int major, const char *alone, char hex[SHA256_HEX_SIZE]);

#endif

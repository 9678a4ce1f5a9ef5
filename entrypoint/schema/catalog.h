/*
 * Reading the facts of a schema from the server's catalog: all schemas that people use, in one transaction
 * that only reads.
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

/* The facts, sorted; they live in the arena. The dialect says what the ledger is called. Any role will do.
 * ERROR_TABLE_LOCK when a table stays locked for longer than a few seconds: the server needs it to say how a
 * view is defined. */
must_use bool catalog_read(struct arena *arena, struct connection *conn, const struct dialect *dialect,
                           struct facts *out, struct error *err);

#endif

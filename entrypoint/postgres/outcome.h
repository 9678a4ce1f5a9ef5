/*
 * Was that COMMIT done? Asked when its answer was lost.
 */
#ifndef POSTGRES_OUTCOME_H
#define POSTGRES_OUTCOME_H

#include "postgres/connection.h"

/* What the server knows of a transaction (PostgreSQL documentation, "Transaction ID and Snapshot Information
 * Functions"). OUTCOME_FORGOTTEN: too old, or of another cluster (after a failover that lost it). */
enum outcome { OUTCOME_COMMITTED, OUTCOME_ABORTED, OUTCOME_RUNNING, OUTCOME_FORGOTTEN, OUTCOMES };

extern const char *const OUTCOME_NAMES[];

/* Asks for the transaction whose id (as txid_current() gave it) is `txid`. One round trip. */
must_use bool outcome_ask(struct connection *conn, const char *txid, enum outcome *out, struct error *err);

#endif

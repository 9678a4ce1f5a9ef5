/*
 * Was the transaction committed? For when the answer to COMMIT was lost.
 */
#ifndef POSTGRES_TRANSACTION_STATUS_H
#define POSTGRES_TRANSACTION_STATUS_H

#include "postgres/connection.h"

/* What the server knows of a transaction (PostgreSQL documentation, "Transaction ID and Snapshot Information
 * Functions"). TRANSACTION_FORGOTTEN: too old, or of another cluster (after a failover that lost it). */
enum transaction_status {
    TRANSACTION_COMMITTED,
    TRANSACTION_ABORTED,
    TRANSACTION_RUNNING,
    TRANSACTION_FORGOTTEN,
    TRANSACTION_STATUSES
};

extern const char *const TRANSACTION_STATUS_NAMES[];

/* Asks for the transaction whose id (as txid_current() gave it) is `txid`. One round trip. */
must_use bool transaction_status_ask(struct connection *conn, const char *txid, enum transaction_status *out,
                                     struct error *err);

#endif

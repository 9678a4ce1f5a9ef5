/*
 * A table in which a migration tool keeps its lock: whoever has one, has a row in it. It is only looked at. A
 * row of ours would stay when we are killed, as the tool's own does.
 */
#ifndef LOCK_LOCK_TABLE_H
#define LOCK_LOCK_TABLE_H

#include "base/error.h"
#include "history/ledger.h"
#include "postgres/connection.h"

/* ERROR_LEADER if there is a row in the table that the ledger's tool has for this, where it has one. */
must_use bool lock_table_check(struct connection *conn, const struct ledger *ledger, struct error *err);

#endif

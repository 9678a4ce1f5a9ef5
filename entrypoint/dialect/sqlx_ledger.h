/*
 * sqlx's ledger, and the lock of its library.
 */
#ifndef DIALECT_SQLX_LEDGER_H
#define DIALECT_SQLX_LEDGER_H

#include "dialect/dialect.h"

extern const struct ledger_sql SQLX_LEDGER;

/* One for each database, from its name. The command line takes none. */
void sqlx_keys_of(const struct ledger_place *place, struct tool_keys *out);

#endif

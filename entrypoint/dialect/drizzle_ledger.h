/*
 * Drizzle's ledgers: before 1.0 it knows a migration by its time, since then by its name.
 */
#ifndef DIALECT_DRIZZLE_LEDGER_H
#define DIALECT_DRIZZLE_LEDGER_H

#include "dialect/ledger_sql.h"

extern const struct ledger_sql DRIZZLE_LEDGER;
extern const struct ledger_sql DRIZZLE_NAMED_LEDGER;

#endif

/*
 * Flyway's ledger, and the lock that goes with its name.
 */
#ifndef DIALECT_FLYWAY_LEDGER_H
#define DIALECT_FLYWAY_LEDGER_H

#include "dialect/dialect.h"

extern const struct ledger_sql FLYWAY_LEDGER;

/* A constant and Java's hash of "schema"."table", of its UTF-16. A lock of the session's excludes both of
 * Flyway's, which takes it for each transaction unless it is told otherwise. */
void flyway_keys_of(const struct ledger_place *place, struct tool_keys *out);

#endif

/*
 * goose's ledger, and the lock of its library.
 */
#ifndef DIALECT_GOOSE_LEDGER_H
#define DIALECT_GOOSE_LEDGER_H

#include "dialect/dialect.h"

extern const struct ledger_sql GOOSE_LEDGER;

/* The other kind of lock that its library has: a row that a heartbeat renews. */
extern const struct tool_lease GOOSE_LEASE;

/* One, the same everywhere: the checksum CRC-32 of "goose". The command line takes none. */
void goose_keys_of(const struct ledger_place *place, struct tool_keys *out);

#endif

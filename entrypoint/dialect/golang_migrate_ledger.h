/*
 * golang-migrate's ledger, one row with the version that the schema has, and the locks of the tool.
 */
#ifndef DIALECT_GOLANG_MIGRATE_LEDGER_H
#define DIALECT_GOLANG_MIGRATE_LEDGER_H

#include "dialect/dialect.h"

extern const struct ledger_sql GOLANG_MIGRATE_LEDGER;

/* Two: of its command line, which puts a slash before the database's name, and of its library. */
void golang_migrate_keys_of(const struct ledger_place *place, struct tool_keys *out);

#endif

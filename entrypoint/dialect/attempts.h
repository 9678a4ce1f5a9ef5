/*
 * What is unfinished or has failed of a tool whose ledger has no room for it: a table in the journal, of the
 * shape that Prisma's ledger has, with the same statements.
 */
#ifndef DIALECT_ATTEMPTS_H
#define DIALECT_ATTEMPTS_H

#include "dialect/ledger_sql.h"

/* {ledger} in it is the table of attempts. Its names are the ledger's keys. */
extern const struct ledger_sql ATTEMPTS_LEDGER;

#endif

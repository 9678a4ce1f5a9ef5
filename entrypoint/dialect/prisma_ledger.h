/*
 * Prisma's ledger, the table _prisma_migrations, written as Prisma writes it.
 */
#ifndef DIALECT_PRISMA_LEDGER_H
#define DIALECT_PRISMA_LEDGER_H

#include "dialect/ledger_sql.h"

extern const struct ledger_sql PRISMA_LEDGER;

#endif

/*
 * Which edits of the ledger are allowed: Prisma's rules for "resolve", and one more. Pure.
 */
#ifndef DIALECT_PRISMA_RESOLVE_H
#define DIALECT_PRISMA_RESOLVE_H

#include <stddef.h>

#include "base/error.h"
#include "dialect/ledger_row.h"

/* Whether `name` may be recorded as applied: ERROR_REFUSED (P3008) when a row of it is finished, rolled back
 * or not. */
must_use bool prisma_resolve_check_applied(const struct ledger_row *rows, size_t count, const char *name,
                                           struct error *err);

/* Whether the failed rows of `name` may be marked as rolled back: ERROR_REFUSED when it has no row (P3011),
 * or when all its rows are finished (P3012). Repeating it is fine. */
must_use bool prisma_resolve_check_rolled_back(const struct ledger_row *rows, size_t count, const char *name,
                                               struct error *err);

/* Whether the applied rows of `name` may be taken back, which is ours, not Prisma's: ERROR_REFUSED when it
 * has no row (P3011). Repeating it is fine. */
must_use bool prisma_resolve_check_pending(const struct ledger_row *rows, size_t count, const char *name,
                                           struct error *err);

#endif

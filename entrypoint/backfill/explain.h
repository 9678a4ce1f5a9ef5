/*
 * Whether the server would go through an index for a batch, according to its EXPLAIN.
 */
#ifndef BACKFILL_EXPLAIN_H
#define BACKFILL_EXPLAIN_H

#include "backfill/plan.h"

enum explained { EXPLAINED_INDEX, EXPLAINED_WHOLE, EXPLAINED_NOT };

/* Whether it would use an index of the key for that range. On EXPLAINED_WHOLE `err` is ERROR_CLEAN with its
 * plan, on EXPLAINED_NOT why it could not be asked. */
must_use enum explained backfill_explain(struct execution *execution, const struct backfill_plan *plan,
                                         struct key_range range, struct error *err);

#endif

/*
 * Whether the server would go through an index for a batch, according to its EXPLAIN.
 */
#ifndef BACKFILL_EXPLAIN_H
#define BACKFILL_EXPLAIN_H

#include "backfill/plan.h"

/* Whether it would use an index of the key for that range. If not, `why` is ERROR_CLEAN with its plan. */
must_use bool backfill_explain(struct execution *execution, const struct backfill_plan *plan,
                               struct key_range range, bool *is_indexed, struct error *why,
                               struct error *err);

#endif

/*
 * The backfill mode: one UPDATE in many small transactions, along the key of its table.
 *
 * Each batch commits together with how far it has come, so a rerun goes on behind the last one that was
 * committed: no row is done twice, none is left out. A batch takes the rows after the last key; its size is
 * steered by its time (backfill/pace.h), it rests afterwards, and it pauses while others suffer
 * (backfill/throttle.h). Rows that are written meanwhile are the business of a default, a trigger or the new
 * application; with a condition in the UPDATE and a "verify" what they miss is swept up at the end.
 */
#ifndef BACKFILL_BACKFILL_H
#define BACKFILL_BACKFILL_H

#include "execution/execution.h"

/* Makes it, or what is left of it; the ledger row is there and unfinished. *has_effect becomes true when
 * something of it persists. On failure the error says how far it came. */
must_use bool backfill_run(struct execution *execution, bool *has_effect, struct error *err);

#endif

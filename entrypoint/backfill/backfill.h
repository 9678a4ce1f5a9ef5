/*
 * The backfill mode: one UPDATE as many small transactions, in the order of its table's key.
 *
 * Each batch commits together with its progress, so a rerun resumes after the last committed batch: no row is
 * done twice, none is left out. A batch takes the rows after the last key; its size follows its duration
 * (backfill/pace.h), each is followed by a rest, and the backfill pauses while others suffer
 * (backfill/throttle.h). A default, a trigger or the new application takes care of rows that are written
 * meanwhile; with a condition in the UPDATE and a "verify", rows that these miss are done at the end.
 */
#ifndef BACKFILL_BACKFILL_H
#define BACKFILL_BACKFILL_H

#include "execution/execution.h"

/* Runs it, or the rest of it; the ledger row exists and is unfinished. *has_effect becomes true when
 * something of it persists. On failure the error reports the progress. */
must_use bool backfill_run(struct execution *execution, bool *has_effect, struct error *err);

#endif

/*
 * What a broken statement that cannot run in a transaction left behind, and getting rid of it.
 *
 * Something is cleared away only when it is proven to be ours: of that name, on that table, of that
 * definition, younger than the intent that was committed before the statement, and in nobody's use. Where a
 * proof is missing, a person gets the statement to type.
 */
#ifndef REPAIR_REPAIR_H
#define REPAIR_REPAIR_H

#include "execution/execution.h"
#include "history/journal.h"
#include "repair/leftover.h"

/* What is read of a migration to repair one of its statements. */
struct broken repair_broken(const struct execution *execution, const struct statement *statement);

/* Whether the statement can leave something behind: then no time-out of the server may end it. The others are
 * all or nothing. */
bool repair_may_be_needed(const struct broken *broken);

/* Looks at what stands in the way of the statement, and clears it away where it may. `intent` is that of an
 * interrupted run, if there was one. */
must_use enum repair_answer repair_before(const struct broken *broken, const struct intent *intent,
                                          struct error *err);

/* After the statement failed on this very session: clears away what it left. False when something remains. */
must_use bool repair_after(const struct broken *broken, const struct intent *intent, struct leftover *left);

/* After statements succeeded, from byte `start` to `end` of the script: whether the indexes that they wanted
 * are valid. CREATE INDEX IF NOT EXISTS is content with an INVALID one. */
must_use bool repair_verify(struct execution *execution, size_t start, size_t end, struct error *err);

#endif

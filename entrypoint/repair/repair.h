/*
 * What an interrupted statement that cannot run in a transaction left behind, and how to clean it up.
 *
 * Something is removed only if it is proven to be ours: it has that name, that table and that definition, is
 * younger than the intent that was committed before the statement, and is not in use. If the proof is
 * missing, the error tells a person what to type.
 */
#ifndef REPAIR_REPAIR_H
#define REPAIR_REPAIR_H

#include "execution/execution.h"
#include "history/journal.h"
#include "repair/leftover.h"

/* What is read of a migration to repair one of its statements. */
struct broken repair_broken(const struct execution *execution, const struct statement *statement);

/* Whether the statement can leave something behind: then no timeout of the server may end it. The others are
 * all or nothing. */
bool repair_may_be_needed(const struct broken *broken);

/* Looks for what is in the way of the statement, and removes it if it may. `intent` is that of an interrupted
 * run, if there was one. */
must_use enum repair_answer repair_before(const struct broken *broken, const struct intent *intent,
                                          struct error *err);

/* After the statement failed on this session: removes what it left behind. False if something remains. */
must_use bool repair_after(const struct broken *broken, const struct intent *intent, struct leftover *left);

/* After statements succeeded, from byte `start` to `end` of the script: whether the indexes that they asked
 * for are valid. CREATE INDEX IF NOT EXISTS accepts an INVALID one. */
must_use bool repair_verify(struct execution *execution, size_t start, size_t end, struct error *err);

#endif

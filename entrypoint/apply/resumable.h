/*
 * The self-managed and stepwise modes: segment by segment, each with its progress.
 *
 * The ledger row is written first, unfinished, as Prisma does; applied_steps_count then counts the statements
 * that are done, committed in the same transaction as these if there is one. So whatever happens, the ledger
 * holds the script's exact progress, and a rerun resumes there.
 */
#ifndef APPLY_RESUMABLE_H
#define APPLY_RESUMABLE_H

#include "execution/execution.h"

/* Whether one that was begun can go on with the script as it is now: ERROR_REFUSED if what is done of it has
 * been changed since. Only reads. */
must_use bool resumable_check(const struct execution *execution, struct error *err);

/* Applies it, or the rest of it. ERROR_CLEAN when it failed and left nothing behind, ERROR_PARTIAL when
 * statements persist (the error lists them). */
must_use bool resumable_apply(struct execution *execution, struct error *err);

#endif

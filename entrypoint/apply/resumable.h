/*
 * The self-managed and stepwise modes: segment by segment, each with its progress.
 *
 * The ledger row is written first, unfinished, as Prisma does; applied_steps_count then counts the statements
 * that are done, committed in the same transaction as these wherever there is one. So whatever happens, the
 * ledger tells exactly how far the script came, and a rerun goes on there.
 */
#ifndef APPLY_RESUMABLE_H
#define APPLY_RESUMABLE_H

#include "execution/execution.h"

/* Applies it, or what is left of it. ERROR_CLEAN when it failed and left nothing, ERROR_PARTIAL when
 * statements persist (the error lists them). */
must_use bool resumable_apply(struct execution *execution, struct error *err);

#endif

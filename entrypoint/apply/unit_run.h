/*
 * Running one unit of a script that is not atomic, together with its progress.
 */
#ifndef APPLY_UNIT_RUN_H
#define APPLY_UNIT_RUN_H

#include "apply/unit.h"
#include "execution/execution.h"

/* Runs it and writes how many statements are done then: in the same transaction wherever there is one. With
 * `is_resuming` an earlier run may have been interrupted in this very unit: what it left is looked at first.
 * On failure a transaction may still be open. */
must_use bool unit_run(struct execution *execution, const struct unit *unit, bool is_resuming,
                       struct error *err);

#endif

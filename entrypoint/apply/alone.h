/*
 * A statement that cannot run in a transaction: an intent before it, proof after it.
 */
#ifndef APPLY_ALONE_H
#define APPLY_ALONE_H

#include "apply/unit.h"
#include "execution/execution.h"

/* Runs it, after clearing away what an interrupted run of it left; tries again after deadlocks and, where it
 * is all or nothing, when a lock could not be had in time. */
must_use bool alone_run(struct execution *execution, const struct unit *unit, bool is_resuming,
                        struct error *err);

#endif

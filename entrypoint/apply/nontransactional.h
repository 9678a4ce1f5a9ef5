/*
 * A statement that cannot run in a transaction: an intent before it, proof after it.
 */
#ifndef APPLY_NONTRANSACTIONAL_H
#define APPLY_NONTRANSACTIONAL_H

#include "execution/execution.h"
#include "sql/segment.h"

/* Runs it, after clearing away what an interrupted run of it left; tries again after deadlocks and, where it
 * is all or nothing, when a lock could not be had in time. */
must_use bool nontransactional_run(struct execution *execution, const struct segment *segment,
                                   bool is_resuming, struct error *err);

#endif

/*
 * Progress of a migration that commits more than once: how many statements are done, in our ledger row.
 */
#ifndef EXECUTION_CHECKPOINT_H
#define EXECUTION_CHECKPOINT_H

#include "execution/execution.h"

/* Commits an open transaction, with the statement `commit`, together with its progress: one round trip. Fails
 * where another process leads by now, or the ledger row is not as this run left it; then roll back. */
must_use bool checkpoint_commit(struct execution *execution, size_t done, const char *commit,
                                struct error *err);

/* Commits progress alone. */
must_use bool checkpoint_record(struct execution *execution, size_t done, struct error *err);

#endif

/*
 * Progress of a migration that commits more than once: how many statements are done, in our ledger row.
 */
#ifndef EXECUTION_CHECKPOINT_H
#define EXECUTION_CHECKPOINT_H

#include "execution/execution.h"

/* Commits an open transaction, with the statement `commit`, together with its progress. */
must_use bool checkpoint_commit(struct execution *execution, size_t done, const char *commit,
                                struct error *err);

/* Commits progress alone. */
must_use bool checkpoint_record(struct execution *execution, size_t done, struct error *err);

#endif

/*
 * The atomic mode: the script and its ledger row commit in one transaction, in two round trips: what begins
 * it together with the script, then the row together with the COMMIT. A script that is large, or needs a stop
 * in between, takes more.
 *
 * The two can never disagree, whatever fails. While the transaction is open, it also holds the leader lock's
 * key at transaction level, which no script can release.
 */
#ifndef APPLY_ATOMIC_H
#define APPLY_ATOMIC_H

#include "execution/execution.h"

/* Applies it. On failure nothing of it is left (ERROR_CLEAN, ERROR_TABLE_LOCK, ERROR_INTERRUPTED,
 * ERROR_LEADER, recorded in the ledger if the script caused it); ERROR_LOST with is_in_doubt set when the
 * answer to COMMIT did not arrive. */
must_use bool atomic_apply(struct execution *execution, struct error *err);

#endif

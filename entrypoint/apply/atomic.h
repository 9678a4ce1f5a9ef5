/*
 * The atomic mode: script and ledger row commit in one transaction, in three round trips (and two more for
 * each change from statements that wait for tables to statements that wait for rows, or back).
 *
 * After any fault the two can never disagree. While the transaction is open it also holds the leader lock's
 * key at transaction level, which no script can give away.
 */
#ifndef APPLY_ATOMIC_H
#define APPLY_ATOMIC_H

#include "execution/execution.h"

/* Applies it. On failure nothing of it is left (ERROR_CLEAN, ERROR_TABLE_LOCK, ERROR_INTERRUPTED,
 * ERROR_LEADER, recorded in the ledger where it is the script's own fault); ERROR_LOST with is_in_doubt set
 * when the answer to COMMIT did not arrive. */
must_use bool atomic_apply(struct execution *execution, struct error *err);

#endif

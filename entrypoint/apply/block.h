/*
 * A transaction block of the script's own, sent together with the leader lock.
 *
 * The lock is taken for the transaction, so that nothing in it can give the lead away: right after BEGIN and
 * what may only stand there, which is SET (of the isolation level) and LOCK. These take no snapshot and
 * change nothing; whatever does comes later.
 */
#ifndef APPLY_BLOCK_H
#define APPLY_BLOCK_H

#include "execution/execution.h"
#include "sql/segment.h"

/* Sends a SEGMENT_BLOCK up to its COMMIT or ROLLBACK; one round trip. ERROR_LEADER if another session leads.
 */
must_use bool block_send(struct execution *execution, const struct segment *segment, struct error *err);

#endif

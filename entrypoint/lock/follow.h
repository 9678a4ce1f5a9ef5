/*
 * While another process leads: look, disconnect, look again.
 *
 * No connection is held between two looks, so a hundred waiting replicas cost the server nothing.
 */
#ifndef LOCK_FOLLOW_H
#define LOCK_FOLLOW_H

#include "base/error.h"
#include "base/patience.h"
#include "lock/leader.h"
#include "lock/lease.h"

/* Logs the holder (if it is a new one, and every half minute), then pauses. ERROR_LEADER once the deadline
 * has passed, with the holder and the remedy; ERROR_INTERRUPTED. */
must_use bool follow_pause(struct patience *patience, const struct leader *holder, struct error *err);

/* For a dry run, which waits for nobody: warns of the process that holds the lock, if there is one. What it
 * has not committed is not seen. One round trip, read-only. */
must_use bool follow_warn(struct connection *conn, const char *key, struct error *err);

/* The same as follow_pause() while another process holds the Lease: pauses and looks at it until it is free,
 * without asking the database. */
must_use bool follow_lease(struct patience *patience, struct lease *lease, struct error *err);

#endif

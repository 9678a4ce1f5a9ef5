/*
 * While another process leads: look, go away, look again.
 *
 * No connection is held between two looks, so a hundred waiting replicas cost the server nothing.
 */
#ifndef LOCK_FOLLOW_H
#define LOCK_FOLLOW_H

#include "base/error.h"
#include "base/patience.h"
#include "lock/leader.h"
#include "lock/lease.h"

/* Names the holder in the log (when it is a new one, and every half minute), then pauses. ERROR_LEADER once
 * the deadline has passed, with the holder and the remedy; ERROR_INTERRUPTED. */
must_use bool follow_pause(struct patience *patience, const struct leader *holder, struct error *err);

/* The same while another process holds the Lease: pauses, then looks at it, until it is free. The database is
 * not asked meanwhile. */
must_use bool follow_lease(struct patience *patience, struct lease *lease, struct error *err);

#endif

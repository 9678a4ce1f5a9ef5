/*
 * The locks under which a migration tool itself applies, where these are not the leader lock: taken as well,
 * so that the tool and tidelock never apply at the same time. By trying, as the leader lock is. One that is a
 * row is only looked at (tool_lease.h).
 */
#ifndef LOCK_TOOL_LOCK_H
#define LOCK_TOOL_LOCK_H

#include "base/error.h"
#include "base/text.h"
#include "history/ledger.h"
#include "lock/leader.h"
#include "postgres/connection.h"

/* Takes all of them for the session, which must hold the leader lock, or none. On LEADER_HELD fills
 * `*holder`, on LEADER_UNKNOWN `*err`, which is ERROR_LEADER where the tool has a lock in a table (see
 * lock_table.h). One round trip, none where the tool has no lock. */
must_use enum leader_answer tool_lock_try(struct connection *conn, const struct ledger *ledger,
                                          struct leader *holder, struct error *err);

/* Only looks at what is a row: behind a pooler, each transaction takes the others. LEADER_TAKEN = nobody has
 * it.
 */
must_use enum leader_answer tool_lock_look(struct connection *conn, const struct ledger *ledger,
                                           struct leader *holder, struct error *err);

/* The same for a command that does not wait for it: ERROR_LEADER if somebody has it. */
must_use bool tool_lock_take(struct connection *conn, const struct ledger *ledger, struct error *err);

/* Adds the condition that all of them can be had until the end of the transaction, behind another. */
void tool_lock_add(const struct ledger *ledger, struct text *sql);

#endif

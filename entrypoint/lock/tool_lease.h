/*
 * A lock of a migration tool that is a row with a term (struct tool_lease): tidelock waits while it is held,
 * and does not take it.
 */
#ifndef LOCK_TOOL_LEASE_H
#define LOCK_TOOL_LEASE_H

#include "base/error.h"
#include "history/ledger.h"
#include "lock/leader.h"
#include "postgres/connection.h"

/* Whether somebody holds it: then `*holder` has a name, and when the term ends as `since`, but no pid. A
 * table that is not the tool's, or that may not be read, holds nothing. No round trip where the tool has no
 * such lock, otherwise one or two. */
must_use bool tool_lease_find(struct connection *conn, const struct ledger *ledger, struct leader *holder,
                              bool *is_held, struct error *err);

#endif

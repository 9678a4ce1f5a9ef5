/*
 * How a script is sent in an open transaction: whole, or in pieces of whole statements.
 *
 * Inside a transaction the result is the same. The last message ends with SESSION_CONSTRAINTS, so that
 * deferred constraints and triggers fire while the script's own settings and role are still in force.
 */
#ifndef APPLY_SCRIPT_SEND_H
#define APPLY_SCRIPT_SEND_H

#include "execution/execution.h"
#include "sql/transaction_head.h"

/* Whether all its statements only read and write rows. */
bool script_is_all_data(const struct execution *execution);

/* Whether the time to wait for a lock changes within it: once it has locked a table, it does not. */
bool script_changes_wait(const struct execution *execution);

/* Sends what comes after its head; one round trip, unless it is large or the time to wait changes. */
must_use bool script_send(struct execution *execution, const struct transaction_head *head,
                          struct error *err);

/* What failed in a message that ends with the script, from byte `start` and statement number `first` on, and
 * SESSION_CONSTRAINTS: `completed` statements of it were done. Returns false. */
bool script_fail_at_end(struct execution *execution, size_t start, size_t first, size_t completed,
                        struct error *err);

/* The error is one of a deferred constraint or trigger: no statement of the script's own. */
void script_say_deferred(struct error *err);

#endif

/*
 * A statement that cannot run in a transaction: an intent before it, a check after it.
 */
#ifndef APPLY_NONTRANSACTIONAL_H
#define APPLY_NONTRANSACTIONAL_H

#include "execution/execution.h"
#include "history/journal.h"
#include "sql/segment.h"

/* Runs it, after cleaning up what an interrupted run of it left behind; retries after deadlocks and, if it is
 * all or nothing, after lock timeouts. */
must_use bool nontransactional_run(struct execution *execution, const struct segment *segment,
                                   bool is_resuming, struct error *err);

/* Where an earlier run was interrupted in a statement that the script does not say there any more (`now` is
 * what it says, or NULL): cleans up what that one left behind, by its intent. False, with everything noted
 * for the failure, if a person has to decide: something remains, or the statement was completed. */
must_use bool nontransactional_settle(struct execution *execution, const struct intent *intent,
                                      const struct statement *now, struct error *err);

/* Notes that what an earlier attempt at the statement did is not known yet: if this run fails now, the intent
 * stays, and the next one finds out. */
void nontransactional_note_earlier(struct execution *execution);

#endif

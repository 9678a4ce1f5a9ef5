/*
 * What a script has set in its session, kept with its progress.
 *
 * A run that resumes begins in a new session. What the former one was like (its role, its settings) is stored
 * in the journal in the transaction that commits the progress, and restored from there, by the server: values
 * may be secrets and never leave it. What cannot be restored, or is not known, is refused instead of guessed.
 *
 * In an open transaction the server does not say which settings end with it (SET LOCAL). So what it shows
 * then is stored as pending, and settled after the COMMIT. A run that was killed in between is settled by the
 * next one: it says the settings of that part again, in a transaction, and compares what the server shows.
 */
#ifndef EXECUTION_SESSION_STATE_H
#define EXECUTION_SESSION_STATE_H

#include "execution/execution.h"

/* Room for its parameters, which must live as long as its items. */
struct session_note {
    char statement[24];
    char lock_timeout[24];
    const char *parameters[6];
    const char *reinstate[3];
};

/* Items of a batch: before and after the items that set the script's role aside; nothing if no state is kept.
 * The last returns a row if the state is another than before. `is_pending`: the script's own transaction is
 * open. */
enum { SESSION_STATE_ITEMS_MOST = 3 };
size_t session_state_add_stash(const struct execution *execution, struct batch_item *items);
size_t session_state_add_note(const struct execution *execution, bool is_pending, struct session_note *note,
                              struct batch_item *items);

/* Settles what was noted as pending, after the COMMIT. One round trip. */
must_use bool session_state_settle(struct execution *execution, struct error *err);

/* Begins to keep it, or restores it for a run that resumes: call it once the session is set up. ERROR_REFUSED
 * (with holds and hint) where it cannot be restored. `execution->baseline` becomes what the session was set
 * up with; free it. A script that is one transaction has nothing to resume: call it in that transaction. */
must_use bool session_state_begin(struct execution *execution, struct error *err);

/* Whether a run that resumes after what is done now would be refused, for what its session alone has: `why`
 * is a clause. A question that can't be asked is answered with false. */
bool session_state_is_lost(struct execution *execution, char *why, size_t size);

/* Sets again what a statement of the script (RESET ALL, DISCARD ALL) has taken away of our own settings. */
must_use bool session_state_reinstate(struct execution *execution, struct slice statement, struct error *err);

#endif

/*
 * Pending migrations that are applied in one message, see apply/burst.h: which ones, and what becomes of
 * them.
 */
#ifndef DEPLOY_TOGETHER_H
#define DEPLOY_TOGETHER_H

#include "deploy/internal.h"

/* Applies what may go together, from the next one on, if that is at least two; moves on behind what was
 * applied. `*early` gets the failure of the next one, or NULL. False when the connection is lost: what
 * became of those that were sent is then in doubt. */
must_use bool together_apply(struct deployment *d, const struct early_failure **early, struct error *err);

/* Once this process leads again, hence the other session is over: the ledger has the rows of those that were
 * committed. */
void together_settle(struct deployment *d);

#endif

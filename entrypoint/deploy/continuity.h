/*
 * Whether what a run has applied is still there after it has lost its connection: a standby that was promoted
 * may lack it, and so may a backup that was restored.
 */
#ifndef DEPLOY_CONTINUITY_H
#define DEPLOY_CONTINUITY_H

#include <stdbool.h>

#include "base/error.h"
#include "deploy/internal.h"

/* The migration at hand has been applied, or undone. */
void continuity_keep(struct deployment *d);

/* The connection was lost: what was done of the migration at hand, unless it is one transaction. */
void continuity_note_progress(struct deployment *d);

/* Whether a ledger that was just read and compared holds all of that: ERROR_REFUSED otherwise. A session that
 * only reads may be a standby's that is behind, and is not asked. Without `tells_attempts`, the rows do not
 * say what was begun and is not finished: that part is not looked at. */
must_use bool continuity_check(struct deployment *d, bool tells_attempts, struct error *err);

/* The leader lock was obtained on `found`. ERROR_REFUSED if that is another system than the one on which this
 * run has applied something. One that was promoted, and holds all of it, is as good as the former. */
must_use bool continuity_lead(struct deployment *d, const struct identity *found, struct error *err);

/* Whether `found` is known to be another server than the one on which this run leads. */
bool continuity_is_broken(const struct deployment *d, const struct identity *found);

#endif

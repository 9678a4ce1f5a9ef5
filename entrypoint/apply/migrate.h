/*
 * One migration, from its file to its ledger row: read, checked, applied, and explained if it fails.
 */
#ifndef APPLY_MIGRATE_H
#define APPLY_MIGRATE_H

#include "execution/execution.h"

/* `applying` says what and where (connection, ledger, migration, unfinished row, settings); the rest of it is
 * filled. `before` migrations were applied in this run. On failure the error says what the database holds and
 * what to type next. */
must_use bool migration_apply(struct execution *execution, size_t before, struct error *err);

/* Its parts, for what applies several at once: reads the script into `bytes` and decides how it is applied;
 * and shows that it is the one at hand. */
must_use bool migration_load(struct execution *execution, struct text *bytes, struct error *err);
void migration_show(struct execution *execution);

/* Finds out the gist of the script, where it is wanted and not known yet. */
void migration_note_gist(struct execution *execution);

/* Whether its script, which is read into `bytes`, can be applied, as far as the text alone tells; behind a
 * pooler in transaction mode, also whether it is one transaction. The error is that of migration_apply().
 * Fills `is_for_burst`. */
must_use bool migration_check(struct execution *execution, struct text *bytes, struct error *err);

/* The same for a dry run, which also looks at the database: whether the assertions are true, and whether
 * there is a place for a journal where one is needed. `is_next`: nothing else would be applied before it. */
must_use bool migration_rehearse(struct execution *execution, bool is_next, struct text *bytes,
                                 struct error *err);

#endif

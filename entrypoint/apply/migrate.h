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

/* Whether it can be applied behind a pooler in transaction mode. ERROR_USAGE if not, with the place and a
 * hint; a script with an error of its own passes, and fails when its turn comes. */
must_use bool migration_check_pooled(struct execution *execution, struct error *err);

#endif

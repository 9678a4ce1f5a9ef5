/*
 * One migration from its file to its ledger row: read, judged, applied, and explained where it failed.
 */
#ifndef APPLY_MIGRATE_H
#define APPLY_MIGRATE_H

#include "execution/execution.h"

/* `applying` says what and where (connection, ledger, migration, unfinished row, settings); the rest of it is
 * filled. `before` migrations were applied in this run. On failure the error says what the database holds and
 * what to type next. */
must_use bool migration_apply(struct execution *execution, size_t before, struct error *err);

/* Whether it can be applied where no session is ours. ERROR_USAGE when not, with the place and the way out; a
 * script that is wrong in itself passes, and fails when its turn comes. */
must_use bool migration_check_pooled(struct execution *execution, struct error *err);

#endif

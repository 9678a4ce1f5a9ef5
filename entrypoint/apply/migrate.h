/*
 * One migration from its file to its ledger row: read, judged, applied, and explained where it failed.
 */
#ifndef APPLY_MIGRATE_H
#define APPLY_MIGRATE_H

#include "apply/applying.h"

/* `applying` says what and where (connection, ledger, migration, unfinished row, settings); the rest of it is
 * filled. `before` migrations were applied in this run. On failure the error says what the database holds and
 * what to type next. */
must_use bool migration_apply(struct applying *applying, size_t before, struct error *err);

#endif

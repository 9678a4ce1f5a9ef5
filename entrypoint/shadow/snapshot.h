/*
 * What migrations make: they are replayed in a shadow, and its facts are read.
 */
#ifndef SHADOW_SNAPSHOT_H
#define SHADOW_SNAPSHOT_H

#include "history/migration.h"
#include "schema/facts.h"
#include "shadow/shadow.h"

/* Called when number `index` of the folder has been replayed, which took so long. */
typedef void snapshot_note(const struct folder *folder, size_t index, int64_t ms);

/* Replays the migrations of the folder that are asked for in a shadow of their own, and reads its facts into
 * the arena. `note` may be NULL. ERROR_REFUSED, with the dialect's code and the place, for a migration that
 * does not replay. */
must_use bool shadow_snapshot(const struct shadow_request *wanted, const struct folder *folder,
                              snapshot_note *note, struct facts *out, struct error *err);

#endif

/*
 * The inverse of a migration: the script that its author wrote to undo it, where its tool looks for it.
 */
#ifndef HISTORY_INVERSE_H
#define HISTORY_INVERSE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "history/migration.h"

/* Whether folders of this tool have inverses at all: ERROR_REFUSED otherwise. */
must_use bool inverse_check(const struct dialect *dialect, struct error *err);

/* The migration with that script in place of its own. ERROR_REFUSED where there is none. Lives in the arena.
 * Whether a script that has both holds one is known once it is read. */
must_use bool inverse_of(struct arena *arena, const struct dialect *dialect,
                         const struct migration *migration, struct migration *out, struct error *err);

/* Says in `err` that there is none, or none with a statement. Returns false. */
bool inverse_refuse(const struct migration *inverse, struct error *err);

#endif

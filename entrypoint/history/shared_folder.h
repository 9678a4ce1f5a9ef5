/*
 * The folder that all tenants of a run have: looked at once, and its scripts read once for their checksums.
 */
#ifndef HISTORY_SHARED_FOLDER_H
#define HISTORY_SHARED_FOLDER_H

#include <stdbool.h>

#include "base/memory.h"
#include "history/migration.h"
#include "history/recognise.h"

/* Only the arena is set by whoever begins; a single deployment has none of it: NULL below. */
struct shared_folder {
    struct arena *arena; /* where it all lives: as long as any of the tenants */
    bool is_recognised;
    struct recognised recognised;
    struct folder folder; /* its items are NULL until it is read */
    struct read_ahead *read_ahead;
    const char *said; /* what was last said of the scripts; NULL = nothing */
};

/* The arena for what is read of the folder. */
struct arena *shared_arena(const struct shared_folder *shared, struct arena *own);

/* See recognise(). */
void shared_recognise(struct shared_folder *shared, enum format format, struct directory *directory,
                      struct recognised *out);

/* See folder_read(): of a directory in the shared arena. The dialect of *out is set, and it becomes one
 * tenant's own, with scripts that it shares. */
must_use bool shared_read(struct shared_folder *shared, struct arena *arena,
                          const struct directory *directory, struct folder *out, struct error *err);

/* The checksums of `folder`, which is one tenant's: a new one of the arena, unless others have begun it. */
struct read_ahead *shared_read_ahead(struct shared_folder *shared, struct arena *arena,
                                     const struct folder *folder) __attribute__((returns_nonnull));

/* Whether what is to be said of the scripts was not the last thing that was said of them, for another tenant.
 */
bool shared_is_new(struct shared_folder *shared, const char *words);

#endif

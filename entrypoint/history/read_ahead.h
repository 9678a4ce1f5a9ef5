/*
 * The checksums of the folder's scripts, found out while the server is waited for: most starts find nothing
 * to do but that.
 */
#ifndef HISTORY_READ_AHEAD_H
#define HISTORY_READ_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "history/folder.h"

struct read_ahead;

/* One that has read nothing; it lives in the arena, and the folder must outlive it. */
struct read_ahead *read_ahead_new(struct arena *arena, const struct folder *folder)
    __attribute__((returns_nonnull));

/* Reads some more, for less than a millisecond; false when all are read. `context` is the read_ahead. What is
 * large, or cannot be read, is left to whoever needs it. */
bool read_ahead_step(void *context);

/* Whether the script number `index` is known to have just this checksum; false if it was not read. */
bool read_ahead_matches(const struct read_ahead *read_ahead, size_t index, const char *checksum);

#endif

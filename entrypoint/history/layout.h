/*
 * Whether a folder is laid out as its dialect wants it. One that holds no migration is a mistake of whoever
 * built the image, and must not look like "nothing to do".
 */
#ifndef HISTORY_LAYOUT_H
#define HISTORY_LAYOUT_H

#include <stdbool.h>

#include "base/error.h"
#include "dialect/foreign.h"
#include "history/migration.h"

/* ERROR_USAGE when the folder, named `said` by the user, holds no migration, or directories without scripts
 * beside scripts of another tool: says what lies there instead. Otherwise a missing script is missed when it
 * is needed: an applied migration needs it no longer. A folder with nothing at all passes if it
 * `may_be_empty`. */
must_use bool layout_check(const struct folder *folder, const char *said, bool may_be_empty,
                           struct error *err);

/* The error for a folder in which a tool keeps a file of its own that can't be applied here. */
bool layout_refuse_owner(const struct foreign_tool *owner, const char *said, struct error *err);

#endif

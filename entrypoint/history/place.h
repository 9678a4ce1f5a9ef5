/*
 * Where the folder of migrations is.
 */
#ifndef HISTORY_PLACE_H
#define HISTORY_PLACE_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "dialect/dialect.h"

/* The first that says it: --migrations; the schema of --schema, which the folder is beside (or in, when that
 * is a directory); the tool's own configuration; what exists of the dialect's usual places, or, with
 * FORMAT_AUTO, then of any dialect's. The path lives in the arena. ERROR_USAGE with the places looked at; a
 * missing folder is an error, since a wrong path in an image must not look like "nothing to do". */
must_use bool place_find(struct arena *arena, const struct dialect *dialect, const struct config *config,
                         const char **out, struct error *err);

#endif

/*
 * What the application may see of our environment. Pure.
 *
 * DATABASE_URL is the application's as much as ours. DIRECT_URL, with its better rights, and everything that
 * is called TIDELOCK_… is ours alone.
 */
#ifndef GATE_ENVIRONMENT_H
#define GATE_ENVIRONMENT_H

#include "base/memory.h"

/* The entries of `environment` that are not ours alone, in the same order, ending with NULL. The list is the
 * arena's, the entries are the very ones that were passed. */
char **environment_for_application(struct arena *arena, char *const *environment);

/* The same entries with NAME=value in the place of the one of that name, or behind the others. */
char **environment_with(struct arena *arena, char *const *environment, const char *name, const char *value);

#endif

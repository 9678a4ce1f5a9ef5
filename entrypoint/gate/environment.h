/*
 * The application's environment. Pure.
 *
 * DATABASE_URL belongs to the application as well. DIRECT_URL, which has more rights, and everything that
 * begins with TIDELOCK_ is ours alone.
 */
#ifndef GATE_ENVIRONMENT_H
#define GATE_ENVIRONMENT_H

#include "base/memory.h"

/* The entries of `environment` that are not ours alone, in the same order, ending with NULL. The list lives
 * in the arena; the entries are the ones that were passed. */
char **environment_for_application(struct arena *arena, char *const *environment);

/* The same entries with NAME=value, which replaces every one of that name or is appended. */
char **environment_with(struct arena *arena, char *const *environment, const char *name, const char *value);

#endif

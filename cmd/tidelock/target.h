/*
 * Finds what a command works on from the configuration.
 */
#ifndef TARGET_H
#define TARGET_H

#include "apply/target.h"
#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"

/* Reads URL, provider file and folder; ERROR_USAGE or ERROR_REFUSED (P3019). Everything lives in the arena.
 */
must_use bool target_find(struct arena *arena, const struct config *config, struct target *out,
                          struct error *err);

/* The same, and begins to connect before it reads the folder: for the start of an application, where every
 * millisecond is one of every pod. What it began belongs to deployment_run(). */
must_use bool target_find_and_begin(struct arena *arena, const struct config *config, struct target *out,
                                    struct error *err);

/* The same without the check of the provider, which "resolve --rolled-back" does not need. */
must_use bool target_find_unchecked(struct arena *arena, const struct config *config, struct target *out,
                                    struct error *err);

#endif

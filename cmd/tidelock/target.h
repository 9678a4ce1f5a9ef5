/*
 * What a command works on: the database and the folder, found from the configuration.
 */
#ifndef TARGET_H
#define TARGET_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/url.h"
#include "history/migration.h"

struct target {
    struct endpoint endpoint;
    struct folder folder;
};

/* Reads URL, provider file and folder; ERROR_USAGE or ERROR_REFUSED (P3019). Everything lives in the arena.
 */
must_use bool target_find(struct arena *arena, const struct config *config, struct target *out,
                          struct error *err);

/* The same without the check of the provider, which "resolve --rolled-back" does not need. */
must_use bool target_find_unchecked(struct arena *arena, const struct config *config, struct target *out,
                                    struct error *err);

#endif

/*
 * Which pending migration can be what became of those that are missing from the folder: the database then
 * holds it already, and it is only to be recorded.
 *
 * One of the same script has been renamed. One that came in place of several (Prisma's squash) has no
 * migration that stayed between itself and them. Any other is a migration like all: nothing says that it has
 * to do with what is missing.
 */
#ifndef DEPLOY_REPLACEMENT_H
#define DEPLOY_REPLACEMENT_H

#include <stddef.h>

#include "history/compare.h"
#include "history/migration.h"

struct replacement {
    size_t count;    /* how many can be */
    size_t index;    /* the first of them in the folder */
    bool is_renamed; /* and that one is certain */
};

/* Reads the pending scripts; one that cannot be read is none. */
struct replacement replacement_find(const struct folder *folder, const struct history *history);

#endif

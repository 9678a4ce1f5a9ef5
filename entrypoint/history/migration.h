/*
 * A migration: a directory with a script that takes the database one step further.
 */
#ifndef HISTORY_MIGRATION_H
#define HISTORY_MIGRATION_H

#include <stddef.h>

#include "dialect/dialect.h"

struct migration {
    const char *name;        /* the directory's name, also used in the ledger */
    const char *script_path; /* for reading and for messages */
};

/* All of them, in the order in which they are applied. */
struct folder {
    const struct dialect *dialect; /* whose it is */
    const char *path;
    struct migration *items;
    size_t count;
    size_t beyond; /* how many of the last are beyond what is asked for (--to): nothing is done about them */
};

#endif

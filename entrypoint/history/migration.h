/*
 * A migration: a script that takes the database one step further.
 */
#ifndef HISTORY_MIGRATION_H
#define HISTORY_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>

#include "dialect/dialect.h"

struct migration {
    const char *name;        /* of the directory or file */
    const char *key;         /* what the ledger calls it: for some tools, its name */
    const char *description; /* which some ledgers have; otherwise NULL */
    const char *way_back;    /* the file that undoes it; its own name where it has nothing but that */
    const char *back;        /* the key of the one before it in the folder; NULL = it is the first */
    const char *script_path; /* for reading and for messages */
    bool is_program;         /* only its own tool can run it */
    bool is_inverse;         /* its script is what undoes it (inverse.h) */
};

/* All of them, in the order in which they are applied. */
struct folder {
    const struct dialect *dialect; /* whose it is */
    const char *path;
    struct script_session *session; /* noted when a ledger is read */
    struct migration *items;
    size_t count;
    size_t beyond; /* how many of the last are beyond what is asked for (--to): nothing is done about them */
};

#endif

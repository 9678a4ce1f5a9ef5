/*
 * What helps, by SQLSTATE: one table. Pure.
 *
 * "Correct the script" is said only where the script is wrong; and where that script may be applied
 * elsewhere, with what the edit costs.
 */
#ifndef EXECUTION_ADVICE_H
#define EXECUTION_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* What is known about the failure beside its SQLSTATE: the rows of the table ask for it. */
enum advice_fact {
    ADVICE_ALL_THERE = 1 << 0,   /* the database holds everything that the script creates … */
    ADVICE_SOME_THERE = 1 << 1,  /* … or something of it */
    ADVICE_NONE_THERE = 1 << 10, /* … or nothing */
    ADVICE_LEDGER_EMPTY = 1 << 2,
    ADVICE_MISSING = 1 << 3,         /* applied migrations are not in the folder */
    ADVICE_REMEDY = 1 << 4,          /* what to type is known: `remedy` */
    ADVICE_LOCK_TABLE = 1 << 5,      /* the server's table of locks is full */
    ADVICE_LIMIT = 1 << 6,           /* a statement timeout is set: `limit`, by `setter` */
    ADVICE_MIGRATION_LIMIT = 1 << 7, /* the limit was that of the whole migration */
    ADVICE_EXTENSION = 1 << 8,       /* it is about an extension: `object` */
    ADVICE_AVAILABLE = 1 << 9,       /* … that the server offers */
    ADVICE_INVALID = 1 << 11,        /* what is there is an INVALID index: `object`; `remedy` drops it */
    ADVICE_BACKFILL = 1 << 13,       /* it is a backfill that is half done */
    ADVICE_OTHER_ROLE = 1 << 12,     /* the script changes its role */
    ADVICE_UNSEEN = 1 << 14, /* nobody sees an edit: of an inverse, or where the ledger has no checksums */
};

struct advice_facts {
    const char *sqlstate;
    unsigned known;
    /* For {names} in the sentences; "" where not known. */
    const char *script;
    const char *name; /* the migration's */
    const char *role;
    const char *remedy;
    const char *limit;
    const char *setter;
    const char *object;
    const char *value;     /* of the setting that the sentence names */
    const char *more_time; /* what allows more of it */
    const char *compared;  /* by what it was looked for whether the database holds what the script creates */
    const char *absent;    /* the first object that the script creates and the database lacks */
};

/* Adds one or two sentences; what follows them is "Then deploy again". False, and nothing added, if the
 * script is to be corrected. */
bool advice_add(const struct advice_facts *facts, struct text *out);

/* Whether a script that fails so can be applied nowhere: then correcting it costs nothing. */
bool advice_is_wrong_everywhere(const char *sqlstate);

#endif

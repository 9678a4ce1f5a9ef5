/*
 * What an SQLSTATE means to a migration: one table.
 *
 * Source: PostgreSQL documentation, appendix "PostgreSQL Error Codes".
 */
#ifndef POSTGRES_SQLSTATE_H
#define POSTGRES_SQLSTATE_H

#include <stdbool.h>

#include "base/error.h"

enum { SQLSTATE_SIZE = 6 };

struct sqlstate {
    const char *code;           /* five characters, or the two of a whole class */
    enum error_class class;     /* the class of a query that fails with it */
    bool is_worth_reconnecting; /* whether a connection refused with it may succeed a moment later */
    const char *prisma;         /* the code that Prisma shows for it, or NULL */
    const char *hint;           /* what to do about it if the server has no hint, or NULL */
};

/* The row for a code; any code that is not in the table has a default row (ERROR_CLEAN, not worth
 * reconnecting). */
const struct sqlstate *sqlstate_find(const char *code);

#endif

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
    enum error_class class;     /* of a query that ends with it, or of a connection that is refused with it */
    bool is_of_session;         /* says something about a session, not about a statement */
    bool is_worth_reconnecting; /* whether a connection refused with it may succeed a moment later */
    const char *prisma;         /* the code that Prisma shows for it, or NULL */
    const char *hint;           /* what to do about it if the server has no hint, or NULL */
};

/* The row for a code; any code that is not in the table has a default row (ERROR_CLEAN, not worth
 * reconnecting). */
const struct sqlstate *sqlstate_find(const char *code);

/* The row for a statement that fails with it while its session goes on: what such a code says of a session is
 * then said of another one (dblink, postgres_fdw), or by RAISE; it is the statement's failure. */
const struct sqlstate *sqlstate_of_statement(const char *code);

/* The row for a session that the server ends with it (severity FATAL): ERROR_LOST, except where a limit of
 * the server's on what the session does was exceeded, which another attempt would exceed again. */
const struct sqlstate *sqlstate_of_end(const char *code);

#endif

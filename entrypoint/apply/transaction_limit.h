/*
 * The transaction_timeout that ended a migration's session: whose it is, and what lifts it (PostgreSQL 17 and
 * later).
 */
#ifndef APPLY_TRANSACTION_LIMIT_H
#define APPLY_TRANSACTION_LIMIT_H

#include "execution/execution.h"

struct transaction_limit {
    bool is_late;             /* it was ours: the migration's time is over */
    size_t setter;            /* the script's statement that sets it, from 1; 0 = none */
    struct error_place place; /* … and where that is */
    bool is_hidden;           /* it is not the session's, nor does the script show what sets it */
};

/* Says in err->detail which limit it was. The server is asked on the session that came in the place of the
 * one that it ended, where a limit of the script's own is not in force any more. */
void transaction_limit_tell(const struct execution *execution, struct transaction_limit *out,
                            struct error *err);

/* Sets the hint: what helps is not to be found in the statement that was running. The class of the failure
 * has to be known, since a statement that is done can't be edited any more. */
void transaction_limit_hint(const struct execution *execution, const struct transaction_limit *limit,
                            struct error *err);

#endif

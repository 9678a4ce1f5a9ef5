/*
 * What is said when an inverse fails: it is one transaction, so that little can be left behind. Pure.
 */
#ifndef EXECUTION_FAILURE_INVERSE_H
#define EXECUTION_FAILURE_INVERSE_H

#include "base/text.h"
#include "execution/failure.h"

/* What the database holds, with a full stop. */
void failure_inverse_add_holds(enum failure_holds holds, const struct failure_names *names, struct text *out);

/* What to do next, in sentences. */
void failure_inverse_add_next(enum failure_next next, const struct failure_names *names, struct text *out);

#endif

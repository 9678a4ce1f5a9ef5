/*
 * What the server says about the circumstances of a failure, so that the advice can be exact: which privilege
 * is missing, who set a limit, whether the database holds already what the script creates.
 */
#ifndef EXECUTION_CIRCUMSTANCE_H
#define EXECUTION_CIRCUMSTANCE_H

#include "execution/execution.h"

/* Adds the advice for a failed statement, see advice_add(); nothing if there is none. May add to err->detail.
 * A few round trips; the session must be idle, and what cannot be asked is left out. Whether the database
 * holds part of what the script creates, of an earlier try. */
bool circumstance_add_advice(const struct execution *execution, struct error *err, struct text *out);

#endif

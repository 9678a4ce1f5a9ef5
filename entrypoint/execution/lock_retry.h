/*
 * A lock that could not be had in time: rest, and let the whole transaction be tried again.
 */
#ifndef EXECUTION_LOCK_RETRY_H
#define EXECUTION_LOCK_RETRY_H

#include "execution/execution.h"

/* After a try that failed and was rolled back. True when it is worth another one, after the rest. Otherwise
 * the error stands, explained when the time is over (ERROR_TABLE_LOCK); or ERROR_INTERRUPTED. */
must_use bool lock_retry(struct execution *execution, struct error *err);

#endif

/*
 * A lock that could not be had in time: rest, and let the whole transaction be tried again.
 */
#ifndef APPLY_TABLE_LOCK_H
#define APPLY_TABLE_LOCK_H

#include "apply/applying.h"

/* After a try that failed and was rolled back. True when it is worth another one, after the rest. Otherwise
 * the error stands, explained when the time is over (ERROR_TABLE_LOCK); or ERROR_INTERRUPTED. */
must_use bool table_lock_retry(struct applying *applying, struct error *err);

#endif

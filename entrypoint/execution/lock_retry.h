/*
 * A lock timeout: pause, then let the whole transaction be retried.
 */
#ifndef EXECUTION_LOCK_RETRY_H
#define EXECUTION_LOCK_RETRY_H

#include <stdint.h>

#include "execution/execution.h"

/* Call it after an attempt failed and was rolled back. True, after a pause, if another attempt is worthwhile.
 * Otherwise the error stays, explained if the time is over (ERROR_TABLE_LOCK); or it is ERROR_INTERRUPTED. */
must_use bool lock_retry(struct execution *execution, struct error *err);

/* Call it before the first attempt at the statements from number `first` up to `end`. While an old
 * transaction holds a table that they are known to lock, it waits without queueing: nobody waits behind us.
 * False when the time for attempts is over (ERROR_TABLE_LOCK) or a signal came. */
must_use bool lock_retry_look_first(struct execution *execution, size_t first, size_t end, struct error *err);

/* Whether nothing is seen that this would wait for: false, too, where that can't be found out. */
bool lock_retry_is_free(const struct execution *execution);

/* Milliseconds that are left for attempts; 0 = there is only one, and it has no limit. */
int64_t lock_retry_left_ms(const struct execution *execution);

#endif

/*
 * Whether what an interrupted migration has done is still there: its progress is in the journal, and somebody
 * may have undone it since with another tool, or dropped it.
 */
#ifndef APPLY_HALF_DONE_H
#define APPLY_HALF_DONE_H

#include "base/error.h"
#include "execution/execution.h"

/* ERROR_REFUSED when something is gone that the statements done have created; those that drop or rename
 * something tell nothing. For a ledger that keeps no attempts; one round trip, changes nothing. */
must_use bool half_done_check(const struct execution *execution, struct error *err);

#endif

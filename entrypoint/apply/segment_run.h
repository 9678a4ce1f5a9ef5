/*
 * Runs one segment of a script that is not atomic, together with its progress.
 */
#ifndef APPLY_SEGMENT_RUN_H
#define APPLY_SEGMENT_RUN_H

#include "execution/execution.h"
#include "sql/segment.h"

/* Runs it and records how many statements are done: in the same transaction, if there is one. With
 * `is_resuming`, an earlier run may have been interrupted in this segment: its leftovers are checked first.
 * On failure a transaction may still be open. */
must_use bool segment_run(struct execution *execution, const struct segment *segment, bool is_resuming,
                          struct error *err);

#endif

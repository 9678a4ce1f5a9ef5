/*
 * Whether the application may start, by the status file alone. Pure.
 */
#ifndef GATE_READY_H
#define GATE_READY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* The answer, with a line for people in `why`: complete; not complete, in which phase; stale, which means
 * that its writer is gone; or no status file at all. `now` is in seconds since 1970. */
bool ready_decide(struct slice status_text, double now, int64_t stale_after_ms, struct text *why);

#endif

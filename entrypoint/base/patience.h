/*
 * Waiting for others: pauses that end at a deadline, and a log line now and then, so that the log shows what
 * the process is waiting for without repeating it at every check.
 */
#ifndef BASE_PATIENCE_H
#define BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

/* Ready to use when zeroed, except for `until`. */
struct patience {
    struct deadline until;
    struct deadline next_word; /* when the same line may be logged again */
    char said[256];            /* what was logged last */
    unsigned pauses;
};

bool patience_is_over(const struct patience *patience);

/* Whether it is time to log `what`: it is new, or half a minute has passed. NULL checks only the time.
 * */
bool patience_has_word(struct patience *patience, const char *what);

/* Pauses `ms`, but not beyond the deadline. False: ERROR_INTERRUPTED. */
must_use bool patience_pause(struct patience *patience, int64_t ms, struct error *err);

/* The same, longer each time, up to `most_ms`. */
must_use bool patience_back_off(struct patience *patience, int64_t most_ms, struct error *err);

#endif

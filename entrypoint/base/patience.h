/*
 * Waiting for what others have to do: pauses that end at a deadline, and a word now and then, so that a log
 * shows what is waited for without repeating it at every look.
 */
#ifndef BASE_PATIENCE_H
#define BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

/* Zeroed but for `until` it is ready. */
struct patience {
    struct deadline until;
    struct deadline next_word; /* when the same may be said again */
    char said[256];            /* what was said last */
    unsigned pauses;
};

bool patience_is_over(const struct patience *patience);

/* Whether it is time to say `what`: it is new, or half a minute has passed. NULL asks about the time alone.
 */
bool patience_has_word(struct patience *patience, const char *what);

/* Pauses `ms`, but not beyond the deadline. False: ERROR_INTERRUPTED. */
must_use bool patience_pause(struct patience *patience, int64_t ms, struct error *err);

/* The same, longer each time, up to `most_ms`. */
must_use bool patience_back_off(struct patience *patience, int64_t most_ms, struct error *err);

#endif

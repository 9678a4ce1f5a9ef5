/*
 * Time: deadlines and pauses on the monotonic clock, in milliseconds.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* A moment on the monotonic clock. */
struct deadline {
    int64_t at_ms;
};

int64_t clock_now_ms(void);
int64_t clock_now_us(void);

/* Seconds since 1970 by the wall clock; only for what leaves this machine. */
double clock_wall_seconds(void);

/* Seconds since 1970 as a time in UTC, in a format of strftime(); "" when it cannot be represented or does
 * not fit. */
void clock_format_utc(int64_t seconds, const char *format, char *out, size_t size);

/* The moment `ms` from now; a negative `ms` means never. */
struct deadline deadline_in(int64_t ms);
struct deadline deadline_never(void);

bool deadline_passed(struct deadline deadline);
bool deadline_is_never(struct deadline deadline);

/* Milliseconds left, at least 0; INT64_MAX for never. */
int64_t deadline_left_ms(struct deadline deadline);

/* The earlier of two. */
struct deadline deadline_earlier(struct deadline one, struct deadline other);

/* The pause before attempt number `attempt` (from 0): doubles from 100 ms up to `most_ms`, then takes a
 * random part between half and all of it, so that a hundred pods that failed together do not return
 * together. */
int64_t backoff_pause_ms(unsigned attempt, int64_t most_ms);

/* The same, growing by half each time: what ends meanwhile is noticed within half of the time that was waited
 * for it, and 100 ms. */
int64_t backoff_by_half_ms(unsigned attempt, int64_t most_ms);

/* Reads "250ms", "5s", "10m", "1h", "2d", or several in a row ("1h30m"); a bare "0" is zero, any other bare
 * number is refused, since people mean different units by it. False when it is not a duration or does not
 * fit.
 * */
must_use bool duration_parse(struct slice text, int64_t *ms);

/* A duration for people, "4 ms", "1.2 s", "3 min 5 s", "2 h", in the caller's buffer of at least 32
 * bytes. */
const char *duration_text(int64_t ms, char *buffer, unsigned long size);

#endif

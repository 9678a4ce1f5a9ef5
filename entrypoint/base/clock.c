#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"

int64_t clock_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    return clock_now_us() / 1000;
}

struct deadline deadline_never(void)
{
    return (struct deadline) { .at_ms = INT64_MAX };
}

double clock_wall_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    now.tv_nsec -= now.tv_nsec % 1000000; /* whole milliseconds */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void clock_format_utc(int64_t seconds, const char *format, char *out, size_t size)
{
    time_t at = (time_t)seconds;
    struct tm parts;

    if (gmtime_r(&at, &parts) == NULL || strftime(out, size, format, &parts) == 0)
        out[0] = '\0';
}

struct deadline deadline_in(int64_t ms)
{
    int64_t at;

    if (ms < 0 || __builtin_add_overflow(clock_now_ms(), ms, &at))
        return deadline_never();
    return (struct deadline) { .at_ms = at };
}

bool deadline_is_never(struct deadline deadline)
{
    return deadline.at_ms == INT64_MAX;
}

int64_t deadline_left_ms(struct deadline deadline)
{
    int64_t left;

    if (deadline_is_never(deadline))
        return INT64_MAX;
    left = deadline.at_ms - clock_now_ms();
    return left > 0 ? left : 0;
}

bool deadline_passed(struct deadline deadline)
{
    return deadline_left_ms(deadline) == 0;
}

struct deadline deadline_earlier(struct deadline one, struct deadline other)
{
    return one.at_ms < other.at_ms ? one : other;
}

/* `halves` is by how many halves of itself it grows each time. */
static int64_t growing_pause_ms(unsigned attempt, int64_t halves, int64_t most_ms)
{
    int64_t pause = 100;

    while (attempt-- > 0 && pause < most_ms)
        pause += halves * pause / 2;
    if (pause > most_ms)
        pause = most_ms;
    return pause / 2 + (int64_t)random_below((uint64_t)(pause / 2 + 1));
}

int64_t backoff_pause_ms(unsigned attempt, int64_t most_ms)
{
    return growing_pause_ms(attempt, 2, most_ms);
}

int64_t backoff_by_half_ms(unsigned attempt, int64_t most_ms)
{
    return growing_pause_ms(attempt, 1, most_ms);
}

static const struct unit {
    const char *name;
    int64_t ms;
} UNITS[] = { { "ms", 1 },          { "s", 1000 },           { "m", 60 * 1000 },
              { "min", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "d", 24 * 60 * 60 * 1000 } };

static const struct unit *unit_find(struct slice name)
{
    for (size_t i = 0; i < array_length(UNITS); i++) {
        if (slice_equals(name, UNITS[i].name))
            return &UNITS[i];
    }
    return NULL;
}

/* How many bytes at the start are digits (or, for the unit, are not). */
static size_t count_digits(struct slice text, bool wanted)
{
    size_t count = 0;

    while (count < text.length && (text.at[count] >= '0' && text.at[count] <= '9') == wanted)
        count++;
    return count;
}

static bool number_parse(struct slice digits, int64_t *out)
{
    int64_t number = 0;

    for (size_t i = 0; i < digits.length; i++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digits.at[i] - '0', &number))
            return false;
    }
    *out = number;
    return digits.length > 0;
}

static struct slice slice_after(struct slice text, size_t length)
{
    return (struct slice) { .at = text.at + length, .length = text.length - length };
}

bool duration_parse(struct slice text, int64_t *ms)
{
    int64_t total = 0;

    if (slice_equals(text, "0")) {
        *ms = 0;
        return true;
    }
    if (text.length == 0)
        return false;
    while (text.length > 0) {
        size_t digits = count_digits(text, true);
        struct slice rest = slice_after(text, digits);
        size_t letters = count_digits(rest, false);
        const struct unit *unit = unit_find((struct slice) { .at = rest.at, .length = letters });
        int64_t part;

        if (unit == NULL || !number_parse((struct slice) { .at = text.at, .length = digits }, &part) ||
            __builtin_mul_overflow(part, unit->ms, &part) || __builtin_add_overflow(total, part, &total))
            return false;
        text = slice_after(rest, letters);
    }
    *ms = total;
    return true;
}

/* "3 min 5 s", "3 min" */
static void write_two(char *buffer, unsigned long size, int64_t seconds, int64_t unit,
                      const char *const names[2])
{
    const int64_t rest = seconds % unit * 60 / unit;

    if (rest == 0)
        (void)snprintf(buffer, size, "%lld %s", (long long)(seconds / unit), names[0]);
    else
        (void)snprintf(buffer, size, "%lld %s %lld %s", (long long)(seconds / unit), names[0],
                       (long long)rest, names[1]);
}

const char *duration_text(int64_t ms, char *buffer, unsigned long size)
{
    if (ms < 1000)
        (void)snprintf(buffer, size, "%lld ms", (long long)ms);
    else if (ms < 60 * 1000)
        (void)snprintf(buffer, size, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    else if (ms < 60 * 60 * 1000)
        write_two(buffer, size, ms / 1000, 60, (const char *const[]) { "min", "s" });
    else
        write_two(buffer, size, ms / 1000, 60 * 60, (const char *const[]) { "h", "min" });
    return buffer;
}

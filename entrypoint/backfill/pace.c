#include "backfill/pace.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_FIRST = 500, SAMPLES_LEAST = 5, TOO_SLOW_FACTOR = 3 };
static const double AVERAGE_WEIGHT = 0.4;
static const double LEAST_MS = 0.1;

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

struct pace pace_begin(int64_t target_ms, int64_t rows_least, int64_t rows_most)
{
    return (struct pace) { .rows = clamp(ROWS_FIRST, rows_least, rows_most),
                           .rows_least = rows_least,
                           .rows_most = rows_most,
                           .target_ms = target_ms };
}

void pace_steer(struct pace *pace, double batch_ms)
{
    double factor;

    batch_ms = batch_ms < LEAST_MS ? LEAST_MS : batch_ms;
    pace->average_ms += (pace->average_ms <= 0 ? 1 : AVERAGE_WEIGHT) * (batch_ms - pace->average_ms);
    factor = (double)pace->target_ms / pace->average_ms;
    factor = factor < 0.5 ? 0.5 : factor > 1.5 ? 1.5 : factor;
    /* From below the least it grows back step by step: more locked rows may be near. */
    pace->rows =
        clamp((int64_t)((double)pace->rows * factor + 0.5),
              2 * pace->rows < pace->rows_least ? 2 * pace->rows : pace->rows_least, pace->rows_most);
}

void pace_halve(struct pace *pace)
{
    if (!pace_is_smallest(pace))
        pace->rows = clamp(pace->rows / 2, pace->rows_least, pace->rows_most);
}

bool pace_yield(struct pace *pace)
{
    if (pace->rows == 1)
        return false;
    pace->rows /= 2;
    return true;
}

bool pace_is_smallest(const struct pace *pace)
{
    return pace->rows <= pace->rows_least;
}

bool pace_is_too_slow(const struct pace *pace)
{
    return pace_is_smallest(pace) && pace->average_ms > (double)(TOO_SLOW_FACTOR * pace->target_ms);
}

void pace_note(struct pace *pace, double share, double ms)
{
    if (share > 0)
        pace->samples[pace->sample_count++ % PACE_SAMPLES] = ms / share;
}

static int compare(const void *one, const void *other)
{
    double difference = *(const double *)one - *(const double *)other;

    return (difference > 0) - (difference < 0);
}

bool pace_left(const struct pace *pace, double done, int64_t *least_ms, int64_t *most_ms)
{
    double sorted[PACE_SAMPLES];
    size_t count = pace->sample_count < PACE_SAMPLES ? pace->sample_count : PACE_SAMPLES;

    if (count < SAMPLES_LEAST || done > 1)
        return false;
    memcpy(sorted, pace->samples, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    *least_ms = (int64_t)(sorted[count / 4] * (1 - done));
    *most_ms = (int64_t)(sorted[count - 1 - count / 4] * (1 - done));
    return true;
}

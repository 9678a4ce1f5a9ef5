#include "backfill/pace.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_FIRST = 500, SAMPLES_LEAST = 5, TOO_SLOW_FACTOR = 3 };
static const double AVERAGE_WEIGHT = 0.4;
static const double SPREAD_WEIGHT = 0.1;
static const double SPREADS = 2;
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

/* The time of a row, not of a batch, since batches differ in size. */
static void learn(struct pace *pace, double batch_ms)
{
    double row_ms = (batch_ms < LEAST_MS ? LEAST_MS : batch_ms) / (double)pace->rows;
    double away_ms = pace->row_ms > 0 ? row_ms - pace->row_ms : 0;

    pace->row_ms = pace->row_ms > 0 ? pace->row_ms + AVERAGE_WEIGHT * away_ms : row_ms;
    pace->spread_ms += SPREAD_WEIGHT * ((away_ms < 0 ? -away_ms : away_ms) - pace->spread_ms);
}

void pace_steer(struct pace *pace, double batch_ms)
{
    double target_ms = (double)pace->target_ms;
    double wanted;
    double wary;

    learn(pace, batch_ms);
    wanted = target_ms / pace->row_ms;
    wary = (double)PACE_LIMIT * target_ms / (pace->row_ms + SPREADS * pace->spread_ms);
    wanted = wary < wanted ? wary : wanted;
    wanted /= (double)pace->rows;
    wanted = wanted < 0.5 ? 0.5 : wanted > 1.5 ? 1.5 : wanted;
    /* From below the least it grows back step by step: more locked rows may be near. */
    pace->rows =
        clamp((int64_t)((double)pace->rows * wanted + 0.5),
              2 * pace->rows < pace->rows_least ? 2 * pace->rows : pace->rows_least, pace->rows_most);
}

void pace_halve(struct pace *pace, double limit_ms)
{
    learn(pace, limit_ms);
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
    return pace_is_smallest(pace) &&
           (double)pace->rows * pace->row_ms > (double)(TOO_SLOW_FACTOR * pace->target_ms);
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

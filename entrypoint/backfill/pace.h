/*
 * The pace of a backfill: how many rows a batch takes, and how long the rest will take. Pure.
 *
 * Who works on the same rows waits for one batch at worst, so it is steered by its time: the size follows the
 * moving average, by a factor between a half and one and a half.
 */
#ifndef BACKFILL_PACE_H
#define BACKFILL_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACE_SAMPLES = 20 };

struct pace {
    int64_t rows; /* of the next batch */
    int64_t rows_least;
    int64_t rows_most;
    int64_t target_ms;
    double average_ms;            /* of a batch; 0 = none yet */
    double samples[PACE_SAMPLES]; /* milliseconds that the whole would take, by each of the last batches */
    size_t sample_count;          /* of all batches */
};

struct pace pace_begin(int64_t target_ms, int64_t rows_least, int64_t rows_most);

/* After a batch that took `batch_ms`. */
void pace_steer(struct pace *pace, double batch_ms);

/* After one that failed: smaller by half. False when it is as small as it may be. */
bool pace_halve(struct pace *pace);

/* Whether batches take far too long although they can't be any smaller. */
bool pace_is_too_slow(const struct pace *pace);

/* A batch went on by this share of the whole, from 0 to 1, in `ms`, its rest included. */
void pace_note(struct pace *pace, double share, double ms);

/* How long the rest takes when `done` of the whole, from 0 to 1, is done: half of the last batches say it
 * lies between those two. False as long as too few are known. */
bool pace_left(const struct pace *pace, double done, int64_t *least_ms, int64_t *most_ms);

#endif

/*
 * The pace of a backfill: how many rows a batch takes, and how long the rest will take. Pure.
 *
 * Sessions that work on the same rows wait for at most one batch, so its duration is the target: the size
 * follows the moving average of a row's time, by a factor between 0.5 and 1.5. Where batches differ much, as
 * on a busy server, they are smaller, so that few of them reach the limit at which their work is thrown away.
 */
#ifndef BACKFILL_PACE_H
#define BACKFILL_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_LIMIT = 2, /* targets: a batch that takes longer is to be ended */
    PACE_SAMPLES = 20
};

struct pace {
    int64_t rows; /* of the next batch */
    int64_t rows_least;
    int64_t rows_most;
    int64_t target_ms;
    double row_ms;                /* of a row of the last batches, on average; 0 = none yet */
    double spread_ms;             /* … and how far the batches are from that, on average */
    double samples[PACE_SAMPLES]; /* milliseconds for the whole, estimated from each of the last batches */
    size_t sample_count;          /* of all batches */
};

struct pace pace_begin(int64_t target_ms, int64_t rows_least, int64_t rows_most);

/* After a batch that took `batch_ms`. */
void pace_steer(struct pace *pace, double batch_ms);

/* After one that took longer than `limit_ms` and was ended: halves the size. */
void pace_halve(struct pace *pace, double limit_ms);

/* After one that met a lock: halves the size, also below the smallest allowed, to which it grows back. False
 * if it is one row already. */
bool pace_yield(struct pace *pace);

/* Whether no smaller one is allowed. */
bool pace_is_smallest(const struct pace *pace);

/* Whether batches take far too long even at the smallest size. */
bool pace_is_too_slow(const struct pace *pace);

/* Records that a batch did this share of the whole, from 0 to 1, in `ms`, including the rest after it. */
void pace_note(struct pace *pace, double share, double ms);

/* The time left when `done` of the whole, from 0 to 1, is done: half of the last batches put it between these
 * two. False while too few batches are known. */
bool pace_left(const struct pace *pace, double done, int64_t *least_ms, int64_t *most_ms);

#endif

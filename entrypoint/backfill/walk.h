/*
 * The walk of a backfill along its key: one batch after the other, each committed together with its place.
 */
#ifndef BACKFILL_WALK_H
#define BACKFILL_WALK_H

#include "backfill/plan.h"
#include "execution/execution.h"

struct backfill_walk {
    struct execution *execution;
    struct backfill_plan plan;
    int pass;                  /* over the table; from 1 */
    struct backfill_key first; /* of the table, when the pass began; unknown = it has no rows */
    struct backfill_key last;
    struct backfill_key done;  /* everything up to it is committed; unknown = nothing is */
    struct backfill_key until; /* where the batch at hand ends */
    int64_t until_rows;        /* how many it visits; 0 = all that are left, fewer than were asked for */
    int64_t batch_ms;          /* how long the last one took, on the server: its locks, not the way there */
    int64_t visited;           /* rows, in this pass */
    int64_t changed;           /* rows, in all runs and passes */
    int64_t batches;
};

/* Checks the statement and goes on where a former run stopped, or begins. *batch_rows becomes what a batch
 * had then, if there was one. Free it with backfill_walk_end(), also on failure. */
must_use bool backfill_walk_begin(struct backfill_walk *walk, struct execution *execution,
                                  int64_t *batch_rows, struct error *err);
void backfill_walk_end(struct backfill_walk *walk);

/* Begins another pass: from the first row that there is now to the last. */
must_use bool backfill_walk_again(struct backfill_walk *walk, struct error *err);

bool backfill_walk_is_over(const struct backfill_walk *walk);

/* How much of the pass is done, from 0 to 1; negative when it can't be told. */
double backfill_walk_ratio(const struct backfill_walk *walk);

/* Chooses where a batch of so many rows ends. */
must_use bool backfill_walk_choose(struct backfill_walk *walk, int64_t rows, struct error *err);

/* Makes that batch; one that fails is to be rolled back. The next has `next_rows`. */
must_use bool backfill_walk_batch(struct backfill_walk *walk, int64_t next_rows, struct error *err);

#endif

/*
 * A backfill's walk along its key: one batch after the other, each committed together with its position.
 */
#ifndef BACKFILL_WALK_H
#define BACKFILL_WALK_H

#include "backfill/plan.h"
#include "execution/execution.h"

struct backfill_walk {
    struct execution *execution;
    struct backfill_plan plan;
    bool is_known;             /* what an earlier run has done, if there was one */
    int pass;                  /* over the table; from 1 */
    struct backfill_key first; /* of the table, when the pass began; unknown = it has no rows */
    struct backfill_key last;
    struct backfill_key done;  /* everything up to it is committed; unknown = nothing yet */
    struct backfill_key until; /* where the current batch ends */
    int64_t until_rows;        /* how many rows it visits; 0 = all that are left, fewer than requested */
    int64_t batch_ms; /* duration of the last one on the server: while it held locks, without the network */
    int64_t visited;  /* rows, in this pass */
    int64_t changed;  /* rows, in all runs and passes */
    int64_t batches;
};

/* Checks the statement and resumes where an earlier run stopped, or begins: also when the key is another one
 * now and the condition leaves out what is done; otherwise that is ERROR_REFUSED. *batch_rows becomes the
 * batch size of that run, if there was one. Free it with backfill_walk_end(), also on failure. */
must_use bool backfill_walk_begin(struct backfill_walk *walk, struct execution *execution,
                                  int64_t *batch_rows, struct error *err);
void backfill_walk_end(struct backfill_walk *walk);

/* Begins another pass: from the current first row to the last. */
must_use bool backfill_walk_again(struct backfill_walk *walk, struct error *err);

bool backfill_walk_is_over(const struct backfill_walk *walk);

/* How much of the pass is done, from 0 to 1; negative = unknown. */
double backfill_walk_ratio(const struct backfill_walk *walk);

/* Finds the end of a batch of `rows` rows. */
must_use bool backfill_walk_choose(struct backfill_walk *walk, int64_t rows, struct error *err);

/* How long a batch may wait for a lock, and take, while it holds the rows that it has changed. */
struct walk_limits {
    int64_t lock_ms;
    int64_t statement_ms;
};

/* Runs that batch; roll back one that fails. The next one has `next_rows`. ERROR_CLEAN if it moved rows to a
 * place that is yet to be visited. */
must_use bool backfill_walk_batch(struct backfill_walk *walk, struct walk_limits limits, int64_t next_rows,
                                  struct error *err);

#endif

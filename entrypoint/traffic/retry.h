/*
 * How long to wait for a table lock, and how long to pause before the next attempt. Pure, except for
 * randomness.
 *
 * A statement that waits for a strong lock blocks everybody who comes after it, including readers. So it
 * waits only for a moment, and the whole transaction is retried after a pause in which the queue drains. The
 * first wait is a little longer than a normal transaction, the later ones grow.
 */
#ifndef TRAFFIC_RETRY_H
#define TRAFFIC_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/patience.h"
#include "report/progress.h"

struct retry {
    int64_t lock_timeout_ms;  /* of each attempt, as configured; 0 = chosen by us */
    int64_t retry_for_ms;     /* from the first failure on */
    unsigned tries;           /* that failed */
    unsigned cancels;         /* of those: cancelled by us because they blocked others */
    struct patience patience; /* no attempt begins after its deadline */
    bool is_at_rows;          /* the last one waited for a row, which does not block the table */
    bool is_autovacuum;       /* only an ordinary autovacuum blocked it */
};

/* Why an attempt failed, if another one may succeed; RETRY_REASONS for any other SQLSTATE. */
enum retry_reason retry_reason_of(const char *sqlstate);

/* What a statement usually waits for. */
enum retry_wait {
    WAIT_TABLE,
    WAIT_ROWS,           /* it reads and writes rows */
    WAIT_ROWS_AND_BLOCK, /* … and its transaction has locked tables before */
};

/* The lock_timeout of such a statement in the next attempt; never 0. */
int64_t retry_lock_timeout_ms(const struct retry *retry, enum retry_wait wait);

/* Counts a failed attempt, whose error had the server's `context`. */
void retry_count(struct retry *retry, enum retry_reason reason, const char *context);

/* The pause before the next attempt; it grows to 20 s. */
int64_t retry_rest_ms(const struct retry *retry);

#endif

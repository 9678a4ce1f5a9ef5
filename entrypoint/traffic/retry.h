/*
 * How long to wait for a table lock, and how long to pause before the next attempt. Pure, except for
 * randomness.
 *
 * A statement that waits for a strong lock blocks everybody who comes after it, including readers, and so
 * does one that waits for a row while its transaction holds such a lock. So it waits only for a moment, and
 * the whole transaction is retried after a pause in which the queue drains. The first wait is a little longer
 * than a normal transaction, the later ones grow to a second.
 */
#ifndef TRAFFIC_RETRY_H
#define TRAFFIC_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/patience.h"
#include "report/progress.h"

struct retry {
    int64_t lock_timeout_ms;  /* of each attempt, as configured; 0 = chosen by us */
    int64_t retry_for_ms;     /* from the first failure on … */
    int64_t looked_ms;        /* … less what was spent before the first attempt, without queueing */
    unsigned tries;           /* that failed */
    struct patience patience; /* no attempt begins after its deadline */
    bool is_autovacuum;       /* only an ordinary autovacuum blocked it */
};

/* Why an attempt failed, if another one may succeed; RETRY_REASONS for any other SQLSTATE. */
enum retry_reason retry_reason_of(const char *sqlstate);

/* What a statement usually waits for. */
enum retry_wait {
    WAIT_TABLE,
    WAIT_ROWS, /* it reads and writes rows, and its transaction has locked nothing that others wait for */
};

/* The lock_timeout of such a statement in the next attempt; never 0. Waits count: none goes beyond the time
 * for all attempts. */
int64_t retry_lock_timeout_ms(const struct retry *retry, enum retry_wait wait);

/* Counts a failed attempt, which waited for `waited_ms`. */
void retry_count(struct retry *retry, int64_t waited_ms);

/* The pause before the next attempt; it grows to 20 s. */
int64_t retry_rest_ms(const struct retry *retry);

#endif

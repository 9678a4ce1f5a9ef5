/*
 * How long to wait for a table lock, and how long to rest before the next try. Pure, but for chance.
 *
 * A statement that waits for a strong lock makes everybody wait who comes after it, readers too. So it waits
 * a moment only, and the whole transaction is tried again after a rest in which the queue drains. The first
 * moment is a little longer than a normal transaction, the later ones grow.
 */
#ifndef TRAFFIC_RETRY_H
#define TRAFFIC_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/patience.h"
#include "report/progress.h"

struct retry {
    int64_t lock_timeout_ms;  /* each try's, as the user said it; 0 = as we see fit */
    int64_t retry_for_ms;     /* from the first failure on */
    unsigned tries;           /* that failed */
    unsigned cancels;         /* of those: that we ended because others had to wait behind them */
    struct patience patience; /* then: no try begins after its end */
    bool is_at_rows;          /* the last one waited for a row: that keeps nobody from the table */
    bool is_autovacuum;       /* only an ordinary autovacuum was in the way */
};

/* Why a try failed, when another one may succeed; RETRY_REASONS for any other SQLSTATE. */
enum retry_reason retry_reason_of(const char *sqlstate);

/* What a statement waits for, as a rule. */
enum retry_wait {
    WAIT_TABLE,
    WAIT_ROWS,           /* it reads and writes rows */
    WAIT_ROWS_AND_BLOCK, /* … and its transaction has locked tables before */
};

/* The lock_timeout of such a statement in the next try; never 0. */
int64_t retry_lock_timeout_ms(const struct retry *retry, enum retry_wait wait);

/* Counts a failed try, whose error the server explained with `context`. */
void retry_count(struct retry *retry, enum retry_reason reason, const char *context);

/* The rest before the next try; it grows to 20 s. */
int64_t retry_rest_ms(const struct retry *retry);

#endif

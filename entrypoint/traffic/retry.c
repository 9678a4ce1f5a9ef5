#include "traffic/retry.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum {
    /* Deadlock detection runs after a second by default, and only then does an autovacuum yield
     * (documentation, "Routine Vacuuming", the autovacuum daemon). */
    AUTOVACUUM_MS = 1500,
    ROWS_MS = 10 * 1000,
    ROWS_MOST_MS = 60 * 1000,
    REST_LEAST_MS = 200,
    REST_FIRST_MS = 500,
    REST_MOST_MS = 20 * 1000
};

/* The second is long enough for the watch to see what is waited for. */
static const int64_t TABLE_MS[] = { 25, 30, 60, 120, 250, 500, 1000 };

/* 57014 gets here only if we cancelled a statement ourselves because it blocked others. */
static const struct {
    const char *code;
    enum retry_reason reason;
} REASONS[] = {
    { "55P03", RETRY_LOCK_TIMEOUT },
    { "57014", RETRY_LOCK_TIMEOUT },
    { "40P01", RETRY_DEADLOCK },
    { "40001", RETRY_SERIALIZATION },
};

enum retry_reason retry_reason_of(const char *sqlstate)
{
    for (size_t i = 0; i < array_length(REASONS); i++) {
        if (strcmp(sqlstate, REASONS[i].code) == 0)
            return REASONS[i].reason;
    }
    return RETRY_REASONS;
}

/* Longer with each attempt, and never beyond the time for all of them. */
static int64_t rows_ms(const struct retry *retry)
{
    int64_t ms = ROWS_MS * ((int64_t)retry->tries + 1);
    int64_t left = retry->tries == 0 ? retry->retry_for_ms : deadline_left_ms(retry->patience.until);

    if (ms > ROWS_MOST_MS)
        ms = ROWS_MOST_MS;
    if (retry->retry_for_ms > 0 && ms > left)
        ms = left;
    return ms > TABLE_MS[0] ? ms : TABLE_MS[0];
}

int64_t retry_lock_timeout_ms(const struct retry *retry, enum retry_wait wait)
{
    size_t last = array_length(TABLE_MS) - 1;

    if (retry->lock_timeout_ms > 0)
        return retry->lock_timeout_ms;
    if (wait == WAIT_ROWS)
        return rows_ms(retry);
    if (retry->is_autovacuum)
        return AUTOVACUUM_MS;
    return TABLE_MS[retry->tries < last ? retry->tries : last];
}

void retry_count(struct retry *retry, int64_t waited_ms)
{
    int64_t left = retry->retry_for_ms - retry->looked_ms - waited_ms;

    if (retry->tries++ == 0)
        retry->patience = (struct patience) { .until = deadline_in(left > 0 ? left : 0) };
}

int64_t retry_rest_ms(const struct retry *retry)
{
    int64_t most = REST_FIRST_MS;

    for (unsigned i = 0; i < retry->tries && most < REST_MOST_MS; i++)
        most = most * 8 / 5;
    if (most > REST_MOST_MS)
        most = REST_MOST_MS;
    return REST_LEAST_MS + (int64_t)random_below((uint64_t)(most - REST_LEAST_MS + 1));
}

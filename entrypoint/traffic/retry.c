#include "traffic/retry.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum {
    /* Deadlock detection runs after a second by default, and only then does an autovacuum yield
     * (documentation, "Routine Vacuuming", the autovacuum daemon). */
    AUTOVACUUM_MS = 1500,
    ROWS_MS = 10 * 1000,
    ROWS_AND_BLOCK_MS = 1000,
    ROWS_MOST_MS = 60 * 1000,
    REST_LEAST_MS = 200,
    REST_FIRST_MS = 500,
    REST_MOST_MS = 20 * 1000
};

static const int64_t TABLE_MS[] = { 50, 100, 200, 400, 700, 1000 };

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

static int64_t rows_ms(int64_t step_ms, unsigned tries)
{
    int64_t ms = step_ms * ((int64_t)tries + 1);

    return ms < ROWS_MOST_MS ? ms : ROWS_MOST_MS;
}

int64_t retry_lock_timeout_ms(const struct retry *retry, enum retry_wait wait)
{
    size_t last = array_length(TABLE_MS) - 1;

    if (retry->lock_timeout_ms > 0)
        return retry->lock_timeout_ms;
    if (wait == WAIT_ROWS)
        return rows_ms(ROWS_MS, retry->tries);
    if (wait == WAIT_ROWS_AND_BLOCK || retry->is_at_rows)
        return rows_ms(ROWS_AND_BLOCK_MS, retry->tries);
    if (retry->is_autovacuum)
        return AUTOVACUUM_MS;
    return TABLE_MS[retry->tries < last ? retry->tries : last];
}

/* The context of a wait for a row contains the row's position, "(block,number)", in any language
 * (PostgreSQL's source, XactLockTableWaitErrorCb); a wait for a table has none. */
static bool names_row(const char *context)
{
    for (const char *open = strchr(context, '('); open != NULL; open = strchr(open + 1, '(')) {
        size_t block = strspn(open + 1, "0123456789");
        const char *comma = open + 1 + block;
        size_t number = *comma == ',' ? strspn(comma + 1, "0123456789") : 0;

        if (block > 0 && number > 0 && comma[1 + number] == ')')
            return true;
    }
    return false;
}

void retry_count(struct retry *retry, enum retry_reason reason, const char *context)
{
    if (retry->tries++ == 0)
        retry->patience = (struct patience) { .until = deadline_in(retry->retry_for_ms) };
    retry->is_at_rows = reason == RETRY_LOCK_TIMEOUT && names_row(context);
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

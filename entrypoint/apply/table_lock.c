#include "apply/table_lock.h"

#include "base/log.h"
#include "base/signals.h"

enum { LINE_EVERY_MS = 30 * 1000 };

static const char *reason_text(enum retry_reason reason)
{
    static const char *const texts[] = {
        [RETRY_LOCK_TIMEOUT] = "a lock could not be had in time",
        [RETRY_DEADLOCK] = "the server ended a deadlock with another session",
        [RETRY_SERIALIZATION] = "another transaction was in the way",
    };

    return texts[reason];
}

static bool give_up(const struct applying *applying, struct error *err)
{
    char took[32];

    if (applying->retry.retry_for_ms > 0)
        error_detail(err, "%s%sGiven up after %u tries in %s.", err->detail,
                     err->detail[0] == '\0' ? "" : " ", applying->retry.tries,
                     duration_text(applying->retry.retry_for_ms, took, sizeof took));
    return false;
}

bool table_lock_retry(struct applying *applying, struct error *err)
{
    struct retry *retry = &applying->retry;
    enum retry_reason reason = retry_reason_of(err->sqlstate);
    int64_t rest;

    if (err->class != ERROR_TABLE_LOCK || reason == RETRY_REASONS || connection_is_lost(applying->conn))
        return false;
    retry_count(retry, reason, err->contexts > 0 ? err->context[0] : "");
    rest = retry_rest_ms(retry);
    if (deadline_left_ms(retry->until) <= rest)
        return give_up(applying, err);
    applying->progress->retries[reason]++;
    if (deadline_passed(retry->next_line)) {
        log_info("%s at line %zu: try %u was rolled back, the next comes after a rest", reason_text(reason),
                 err->place.line, retry->tries);
        retry->next_line = deadline_in(LINE_EVERY_MS);
    }
    connection_shield(applying->conn, false);
    return signals_sleep((long)rest) || signals_error(err);
}

#include "report/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "report/status_file.h"

const char *const PROGRESS_PHASE_NAMES[] = {
    [PROGRESS_CONNECTING] = "connecting",
    [PROGRESS_WAITING_BUDGET] = "waiting_budget",
    [PROGRESS_WAITING_LEADER] = "waiting_leader",
    [PROGRESS_WAITING_LOCK] = "waiting_lock",
    [PROGRESS_APPLYING] = "applying",
    [PROGRESS_COMPLETE] = "complete",
    [PROGRESS_FAILED] = "failed",
    [PROGRESS_INTERRUPTED] = "interrupted",
};
_Static_assert(sizeof PROGRESS_PHASE_NAMES / sizeof *PROGRESS_PHASE_NAMES == PROGRESS_PHASES,
               "name every phase");

const char *const PROGRESS_CONNECTIONS_NAMES[] = {
    [PROGRESS_CONNECTIONS_USED] = "used",
    [PROGRESS_CONNECTIONS_RESERVED] = "reserved",
    [PROGRESS_CONNECTIONS_FREE] = "free",
};
_Static_assert(sizeof PROGRESS_CONNECTIONS_NAMES / sizeof *PROGRESS_CONNECTIONS_NAMES == PROGRESS_CONNECTIONS,
               "name every kind");

const char *const RETRY_REASON_NAMES[] = {
    [RETRY_LOCK_TIMEOUT] = "lock_timeout",
    [RETRY_DEADLOCK] = "deadlock",
    [RETRY_SERIALIZATION] = "serialization",
};
_Static_assert(sizeof RETRY_REASON_NAMES / sizeof *RETRY_REASON_NAMES == RETRY_REASONS, "name every reason");

bool progress_is_final(enum progress_phase phase)
{
    return phase == PROGRESS_COMPLETE || phase == PROGRESS_FAILED || phase == PROGRESS_INTERRUPTED;
}

size_t progress_pending(const struct progress *progress)
{
    size_t count = 0;

    for (int i = 0; i < VERDICTS; i++)
        count += verdict_is_due((enum verdict)i) ? progress->migrations[i] : 0;
    return count;
}

struct progress progress_begin(const char *path, struct build build)
{
    return (struct progress) { .path = path,
                               .build = build,
                               .started_at = clock_wall_seconds(),
                               .last_seconds = -1,
                               .current_ratio = -1,
                               .differences = -1 };
}

/* Where its duration belongs: behind the others or, when there is no room, in place of the shortest; NULL if
 * that is longer. */
static struct migration_duration *place_of(struct progress *progress, double seconds)
{
    struct migration_duration *shortest = progress->durations;

    if (progress->duration_count < DURATIONS_MOST)
        return &progress->durations[progress->duration_count++];
    for (size_t i = 1; i < DURATIONS_MOST; i++) {
        if (progress->durations[i].seconds < shortest->seconds)
            shortest = &progress->durations[i];
    }
    return shortest->seconds < seconds ? shortest : NULL;
}

void progress_applied(struct progress *progress, const char *name, double seconds)
{
    struct migration_duration *place = place_of(progress, seconds);

    progress->applied++;
    progress->last_seconds = seconds;
    if (place != NULL)
        *place = (struct migration_duration) { name, seconds };
}

void progress_enter(struct progress *progress, enum progress_phase phase)
{
    progress->phase = phase;
    progress->is_ready = phase == PROGRESS_COMPLETE && !progress->goes_back;
    log_context(LOG_PHASE, PROGRESS_PHASE_NAMES[phase]);
    status_file_write(progress);
    if (progress->changed != NULL)
        progress->changed(progress->context);
}

void progress_end(struct progress *progress, enum progress_phase phase, int exit_code)
{
    progress->ended_at = clock_wall_seconds();
    progress->exit_code = exit_code;
    progress->is_leader = false;
    progress->current = NULL;
    progress_enter(progress, phase);
}

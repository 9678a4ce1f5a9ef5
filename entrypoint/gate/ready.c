#include "gate/ready.h"

#include "base/clock.h"
#include "report/status_file.h"

bool ready_decide(struct slice status_text, double now, int64_t stale_after_ms, struct text *why)
{
    struct status status;
    double age;
    char how_old[32];

    if (!status_parse(status_text, &status)) {
        text_add_string(why, "malformed: not a complete status file of tidelock");
        return false;
    }
    if (status.is_ready) {
        text_add_string(why, "complete");
        return true;
    }
    if (progress_is_final(status.phase)) {
        text_add_format(why, "not complete: the run %s",
                        status.phase == PROGRESS_INTERRUPTED ? "was interrupted" : "failed");
        return false;
    }
    age = (now - status.written_at) * 1000;
    if (age > (double)stale_after_ms) {
        text_add_format(why, "stale: last written %s ago while %s; its writer is gone",
                        duration_text((int64_t)age, how_old, sizeof how_old),
                        PROGRESS_PHASE_NAMES[status.phase]);
        return false;
    }
    text_add_format(why, "not complete: %s", PROGRESS_PHASE_NAMES[status.phase]);
    return false;
}

#include "report/status_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "report/metrics.h"

enum { STATUS_BYTES_MOST = 64 * 1024, STATUS_MODE = 0644 };

void status_file_write(struct progress *progress)
{
    auto_text struct text text = text_init(STATUS_BYTES_MOST);
    struct error err;

    if (progress->path == NULL)
        return;
    progress->written_at = clock_wall_seconds();
    metrics_write(progress, &text);
    redact(text.at);
    if (file_replace(progress->path, slice_of(text.at), STATUS_MODE, &err) || progress->has_warned)
        return;
    progress->has_warned = true;
    log_warn("%s; continuing without the status file", err.message);
}

/* Digits and a point, as metrics_write() writes them: strtod() alone would also accept blanks, signs, "0x1"
 * and "nan". */
static bool read_time(struct slice line, double *out)
{
    static const char name[] = "tidelock_status_update_timestamp_seconds ";
    char number[64];
    char *end;
    size_t length = sizeof name - 1;

    if (!slice_starts_with(line, name) || line.length - length >= sizeof number)
        return false;
    memcpy(number, line.at + length, line.length - length);
    number[line.length - length] = '\0';
    if (strspn(number, "0123456789.") != line.length - length)
        return false;
    *out = strtod(number, &end);
    return end != number && *end == '\0';
}

static bool read_phase(struct slice line, enum progress_phase *out)
{
    for (int i = 0; i < PROGRESS_PHASES; i++) {
        auto_text struct text wanted = text_init(256);

        text_add_format(&wanted, "tidelock_phase{phase=\"%s\"} 1", PROGRESS_PHASE_NAMES[i]);
        if (slice_equals(line, wanted.at)) {
            *out = (enum progress_phase)i;
            return true;
        }
    }
    return false;
}

bool status_parse(struct slice text, struct status *out)
{
    bool has_ready = false;
    bool has_phase = false;
    bool has_time = false;

    *out = (struct status) { .is_ready = false };
    while (text.length > 0) {
        const char *end = memchr(text.at, '\n', text.length);
        struct slice line = { text.at, end == NULL ? text.length : (size_t)(end - text.at) };
        bool says_ready;

        /* A last line without a line feed is incomplete. */
        if (end == NULL)
            return false;
        says_ready = slice_equals(line, "tidelock_ready 1");
        if (says_ready || slice_equals(line, "tidelock_ready 0")) {
            has_ready = true;
            out->is_ready = says_ready;
        }
        has_phase |= read_phase(line, &out->phase);
        has_time |= read_time(line, &out->written_at);
        text = (struct slice) { end + 1, text.length - line.length - 1 };
    }
    return has_ready && has_phase && has_time;
}

#include "report/status_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "report/metrics.h"

enum { STATUS_MODE = 0644 };

void status_file_write(struct progress *progress)
{
    auto_text struct text text = text_init(METRICS_BYTES_MOST);
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

/* The value of a sample of the metric `name`, and what stands between the braces, if anything does. False for
 * any other line. A value holds no brace, so the last one ends the labels. */
static bool read_sample(struct slice line, const char *name, struct slice *labels, struct slice *value)
{
    size_t length = strlen(name);
    const char *end = line.length > 0 ? memrchr(line.at, '}', line.length) : NULL;

    *labels = slice_of("");
    if (!slice_starts_with(line, name))
        return false;
    line = (struct slice) { line.at + length, line.length - length };
    if (slice_starts_with(line, "{") && end != NULL) {
        *labels = (struct slice) { line.at + 1, (size_t)(end - line.at - 1) };
        line = (struct slice) { end + 1, line.length - (size_t)(end + 1 - line.at) };
    }
    if (!slice_starts_with(line, " "))
        return false;
    *value = (struct slice) { line.at + 1, line.length - 1 };
    return true;
}

/* Digits and a point, as metrics_write() writes them: strtod() alone would also accept blanks, signs, "0x1"
 * and "nan". */
static bool read_time(struct slice line, double *out)
{
    struct slice labels;
    struct slice value;
    char number[64];
    char *end;

    if (!read_sample(line, "tidelock_status_update_timestamp_seconds", &labels, &value) ||
        value.length >= sizeof number)
        return false;
    memcpy(number, value.at, value.length);
    number[value.length] = '\0';
    if (strspn(number, "0123456789.") != value.length)
        return false;
    *out = strtod(number, &end);
    return end != number && *end == '\0';
}

static bool read_ready(struct slice line, bool *out)
{
    struct slice labels;
    struct slice value;

    if (!read_sample(line, "tidelock_ready", &labels, &value))
        return false;
    *out = slice_equals(value, "1");
    return *out || slice_equals(value, "0");
}

/* A metric's own label comes first. */
static bool read_phase(struct slice line, enum progress_phase *out)
{
    struct slice labels;
    struct slice value;

    if (!read_sample(line, "tidelock_phase", &labels, &value) || !slice_equals(value, "1"))
        return false;
    for (int i = 0; i < PROGRESS_PHASES; i++) {
        auto_text struct text wanted = text_init(256);

        text_add_format(&wanted, "phase=\"%s\"", PROGRESS_PHASE_NAMES[i]);
        if (slice_starts_with(labels, wanted.at) &&
            (labels.length == wanted.length || labels.at[wanted.length] == ',')) {
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

        /* A last line without a line feed is incomplete. */
        if (end == NULL)
            return false;
        has_ready |= read_ready(line, &out->is_ready);
        has_phase |= read_phase(line, &out->phase);
        has_time |= read_time(line, &out->written_at);
        text = (struct slice) { end + 1, text.length - line.length - 1 };
    }
    return has_ready && has_phase && has_time;
}

#include "report/termination_log.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "report/failure_json.h"

static struct json *compose(const struct progress *progress, const struct error *err, size_t most)
{
    struct json *object = json_new_object();

    json_set_text(object, "result", PROGRESS_PHASE_NAMES[progress->phase]);
    json_set_number(object, "exit_code", progress->exit_code);
    json_set_number(object, progress->goes_back ? "rolled_back" : "applied", (int64_t)progress->applied);
    if (progress->is_compared)
        json_set_number(object, "pending", (int64_t)progress_pending(progress));
    failure_json_set(object, err, most);
    return object;
}

void termination_log_compose(const struct progress *progress, const struct error *err, struct text *out)
{
    for (size_t most = TERMINATION_LOG_MOST; most >= 16; most = most * 3 / 4) {
        text_reset(out);
        json_write(compose(progress, err, most), false, out);
        if (!out->has_overflowed && out->length < TERMINATION_LOG_MOST)
            break;
        out->has_overflowed = false;
    }
    text_add(out, "\n", 1);
}

void termination_log_write(const char *path, bool is_optional, struct slice word)
{
    struct error err;

    if (is_optional && !file_exists(path))
        return;
    if (!file_overwrite(path, word, &err))
        log_warn("%s", err.message);
}

#include "report/last_word.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "report/fields.h"

static struct json *compose(const struct progress *progress, const struct error *err, size_t most)
{
    struct json *object = json_new_object();

    json_set_text(object, "result", PROGRESS_PHASE_NAMES[progress->phase]);
    json_set_number(object, "exit_code", progress->exit_code);
    json_set_number(object, "applied", (int64_t)progress->applied);
    if (progress->is_compared)
        json_set_number(object, "pending", (int64_t)progress->migrations[VERDICT_PENDING]);
    fields_of_failure(object, err, most);
    return object;
}

void last_word_compose(const struct progress *progress, const struct error *err, struct text *out)
{
    for (size_t most = LAST_WORD_MOST; most >= 16; most = most * 3 / 4) {
        text_reset(out);
        json_write(compose(progress, err, most), false, out);
        if (!out->has_overflowed && out->length < LAST_WORD_MOST)
            break;
        out->has_overflowed = false;
    }
    text_add(out, "\n", 1);
}

void last_word_write(const char *path, bool is_optional, struct slice word)
{
    struct error err;

    if (is_optional && !file_exists(path))
        return;
    if (!file_overwrite(path, word, &err))
        log_warn("%s", err.message);
}

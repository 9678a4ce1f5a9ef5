#include "report/failure_json.h"

#include "base/log.h"
#include "base/text.h"

void failure_json_set_text(struct json *object, const char *key, const char *value, size_t most)
{
    char whole[FAILURE_JSON_MOST];
    char cut[FAILURE_JSON_MOST];

    if (value == NULL || value[0] == '\0')
        return;
    text_copy_cut(whole, sizeof whole, value);
    redact(whole); /* before it is cut: half a secret would not be recognised */
    text_copy_cut(cut, most < sizeof cut ? most : sizeof cut, whole);
    json_set_text(object, key, cut);
}

void failure_json_set(struct json *object, const struct error *err, size_t most)
{
    auto_text struct text place = text_init(FAILURE_JSON_MOST);

    if (err == NULL)
        return;
    if (err->place.line > 0)
        text_add_format(&place, "%s:%zu:%zu", err->place.file, err->place.line, err->place.column);
    failure_json_set_text(object, "code", err->code, most);
    failure_json_set_text(object, "sqlstate", err->sqlstate, most);
    failure_json_set_text(object, "message", err->message, most);
    if (err->is_detail_public)
        failure_json_set_text(object, "detail", err->detail, most);
    failure_json_set_text(object, "at", place.at, most);
    failure_json_set_text(object, "holds", err->holds, most);
    failure_json_set_text(object, "next", err->hint, most);
}

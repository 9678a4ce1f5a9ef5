#include "report/fields.h"

#include "base/log.h"
#include "base/text.h"

void field_set(struct json *object, const char *key, const char *value, size_t most)
{
    char whole[FIELD_MOST];
    char cut[FIELD_MOST];

    if (value == NULL || value[0] == '\0')
        return;
    text_copy_cut(whole, sizeof whole, value);
    redact(whole); /* first: half a secret would not be known */
    text_copy_cut(cut, most < sizeof cut ? most : sizeof cut, whole);
    json_set_text(object, key, cut);
}

void fields_of_failure(struct json *object, const struct error *err, size_t most)
{
    auto_text struct text place = text_init(FIELD_MOST);

    if (err == NULL)
        return;
    if (err->place.line > 0)
        text_add_format(&place, "%s:%zu:%zu", err->place.file, err->place.line, err->place.column);
    field_set(object, "code", err->code, most);
    field_set(object, "sqlstate", err->sqlstate, most);
    field_set(object, "message", err->message, most);
    field_set(object, "at", place.at, most);
    field_set(object, "holds", err->holds, most);
    field_set(object, "next", err->hint, most);
}

#include "base/json.h"

#include <jansson.h>
#include <stdlib.h>

/* struct json is never defined: it is jansson's value under a name that other rooms may use. */
static json_t *inside(struct json *json)
{
    return (json_t *)json;
}

static struct json *outside(json_t *value)
{
    if (value == NULL)
        abort(); /* only when memory has ended */
    return (struct json *)value;
}

/* jansson refuses invalid UTF-8; such bytes become U+FFFD. */
static json_t *cleaned_text(const char *text, size_t length)
{
    auto_text struct text clean = text_init(length * 3);

    while (length > 0) {
        size_t step = utf8_length(text, length);

        if (step == 0) {
            text_add_string(&clean, "\xEF\xBF\xBD");
            step = 1;
        } else {
            text_add(&clean, text, step);
        }
        text += step;
        length -= step;
    }
    return json_stringn(clean.at, clean.length);
}

static struct json *json_text(const char *text)
{
    struct slice slice = slice_of(text);

    if (text == NULL)
        return outside(json_null());
    if (utf8_is_valid(slice.at, slice.length, NULL))
        return outside(json_stringn(slice.at, slice.length));
    return outside(cleaned_text(slice.at, slice.length));
}

struct json *json_new_object(void)
{
    return outside(json_object());
}

struct json *json_new_array(void)
{
    return outside(json_array());
}

void json_set(struct json *object, const char *key, struct json *value)
{
    (void)json_object_set_new(inside(object), key, inside(value));
}

void json_set_text(struct json *object, const char *key, const char *value)
{
    json_set(object, key, json_text(value));
}

void json_set_number(struct json *object, const char *key, int64_t value)
{
    json_set(object, key, outside(json_integer(value)));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
    json_set(object, key, outside(json_boolean(value)));
}

void json_append(struct json *array, struct json *value)
{
    (void)json_array_append_new(inside(array), inside(value));
}

void json_append_text(struct json *array, const char *value)
{
    json_append(array, json_text(value));
}

void json_write(struct json *value, bool is_indented, struct text *out)
{
    char *dumped = json_dumps(inside(value), is_indented ? JSON_INDENT(2) : JSON_COMPACT);

    if (dumped != NULL)
        text_add_string(out, dumped);
    free(dumped);
    json_decref(inside(value));
}

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
        abort(); /* only when out of memory */
    return (struct json *)value;
}

/* jansson refuses invalid UTF-8. */
static json_t *cleaned_text(const char *text, size_t length)
{
    auto_text struct text clean = text_init(length * 3);

    text_add_valid(&clean, text, length);
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

/* jansson escapes what JSON says must be escaped. A terminal acts on DEL and C1 as well, the log of a CI on
 * "##[command]" and
 * "##vso[command]"; all of them can only stand in strings. */
static size_t needs_escape(const unsigned char *at)
{
    if (at[0] == 0x7F)
        return 1;
    if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F)
        return 2;
    return at[0] == '#' && at[1] == '#';
}

static void dump(const struct json *value, size_t flags, struct text *out)
{
    char *dumped = json_dumps((const json_t *)value, flags);
    const unsigned char *from = (const unsigned char *)dumped;

    for (const unsigned char *at = from; dumped != NULL && *at != '\0';) {
        size_t length = needs_escape(at);

        if (length > 0) {
            text_add(out, (const char *)from, (size_t)(at - from));
            text_add_format(out, "\\u%04X", (unsigned)at[length - 1]);
            from = at + length;
        }
        at += length > 0 ? length : 1;
    }
    if (dumped != NULL)
        text_add_string(out, (const char *)from);
    free(dumped);
}

void json_add(const struct json *value, struct text *out)
{
    dump(value, JSON_COMPACT, out);
}

void json_write(struct json *value, bool is_indented, struct text *out)
{
    dump(value, is_indented ? JSON_INDENT(2) : JSON_COMPACT, out);
    json_decref(inside(value));
}

struct json *json_read(struct slice bytes)
{
    return (struct json *)json_loadb(bytes.at, bytes.length, 0, NULL);
}

void json_free(struct json *value)
{
    json_decref(inside(value));
}

void json_free_at(struct json **value)
{
    json_free(*value);
}

static json_t *member(const struct json *object, const char *key)
{
    return json_object_get((const json_t *)object, key);
}

struct json *json_get(const struct json *object, const char *key)
{
    return (struct json *)member(object, key);
}

struct json *json_get_object(const struct json *object, const char *key)
{
    json_t *found = member(object, key);

    return json_is_object(found) ? (struct json *)found : NULL;
}

struct json *json_get_array(const struct json *object, const char *key)
{
    json_t *found = member(object, key);

    return json_is_array(found) ? (struct json *)found : NULL;
}

struct json *json_item(const struct json *array, size_t number)
{
    return (struct json *)json_array_get((const json_t *)array, number);
}

const char *json_get_text(const struct json *object, const char *key)
{
    return json_string_value(member(object, key));
}

int64_t json_get_number(const struct json *object, const char *key, int64_t otherwise)
{
    const json_t *found = member(object, key);

    return json_is_integer(found) ? json_integer_value(found) : otherwise;
}

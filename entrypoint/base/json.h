/*
 * JSON, by jansson: the only file that talks to it.
 *
 * A writer for what commands print, a reader for what servers answer. A value handed to json_set() or
 * json_append() belongs to its parent from then on.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct json; /* an object, an array or a scalar */

struct json *json_new_object(void);
struct json *json_new_array(void);

void json_set(struct json *object, const char *key, struct json *value);
void json_set_text(struct json *object, const char *key,
                   const char *value); /* NULL becomes null; bad UTF-8 is replaced */
void json_set_number(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, bool value);
void json_append(struct json *array, struct json *value);
void json_append_text(struct json *array, const char *value);

/* Adds the value's text to `out`, on one line or indented by two, without a line feed at the end. Frees the
 * value. */
void json_write(struct json *value, bool is_indented, struct text *out);

/* Adds its text on one line, and keeps the value. */
void json_add(const struct json *value, struct text *out);

/* A whole document, the caller's to free (or to write, or to pass on); NULL when the bytes are not JSON. If a
 * key comes twice, the last one counts. */
struct json *json_read(struct slice bytes);

void json_free(struct json *value);
void json_free_at(struct json **value);
#define auto_json __attribute__((cleanup(json_free_at)))

/* Members of an object, which keeps owning them; NULL when it has none of that key and type, or `object` is
 * NULL.
 * */
struct json *json_get(const struct json *object, const char *key); /* of any type */
struct json *json_get_object(const struct json *object, const char *key);
struct json *json_get_array(const struct json *object, const char *key);
const char *json_get_text(const struct json *object, const char *key);

/* A whole number; `otherwise` when there is none. */
int64_t json_get_number(const struct json *object, const char *key, int64_t otherwise);

/* Items of an array, which keeps owning them; NULL beyond the last one, or when `array` is NULL. */
struct json *json_item(const struct json *array, size_t number);

#endif

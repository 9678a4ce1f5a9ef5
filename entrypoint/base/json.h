/*
 * JSON, by jansson: the only file that talks to it.
 *
 * A writer for what commands print. A value handed to json_set() or json_append() belongs to its parent from
 * then on.
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

#endif

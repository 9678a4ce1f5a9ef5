/*
 * What machines read of a run, as members of a JSON object: the last word's and the webhook's are the same.
 */
#ifndef REPORT_FIELDS_H
#define REPORT_FIELDS_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

enum { FIELD_MOST = 1024 };

/* A text without secrets, cut to `most` bytes with its end, at most FIELD_MOST; nothing when it is empty or
 * NULL.
 */
void field_set(struct json *object, const char *key, const char *value, size_t most);

/* Code, message, place, what the database holds, what comes next; nothing when `err` is NULL. */
void fields_of_failure(struct json *object, const struct error *err, size_t most);

#endif

/*
 * A failure for machines, as members of a JSON object: the same in the termination message and in the
 * webhook.
 */
#ifndef REPORT_FAILURE_JSON_H
#define REPORT_FAILURE_JSON_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

enum { FAILURE_JSON_MOST = 1024 };

/* A text without secrets, cut to `most` bytes with its end, at most FAILURE_JSON_MOST; nothing when it is
 * empty or NULL.
 */
void failure_json_set_text(struct json *object, const char *key, const char *value, size_t most);

/* Code, message, a detail that is public, place, what the database holds, what to do next; nothing if `err`
 * is NULL. */
void failure_json_set(struct json *object, const struct error *err, size_t most);

#endif

/*
 * What machines read of a run, as members of a JSON object: the termination message's and the webhook's are
 * the same.
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

/* Code, message, place, what the database holds, what comes next; nothing when `err` is NULL. */
void failure_json_set(struct json *object, const struct error *err, size_t most);

#endif

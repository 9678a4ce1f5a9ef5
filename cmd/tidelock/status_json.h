/*
 * What `status --json` prints, and the JSON Schema that describes it.
 */
#ifndef STATUS_JSON_H
#define STATUS_JSON_H

#include "base/json.h"
#include "overview.h"

struct json *status_json(const struct overview *overview);

/* The lines of status.schema.json; ends with NULL. */
extern const char *const STATUS_SCHEMA[];

#endif

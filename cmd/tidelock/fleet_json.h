/*
 * What `status --json`, `plan --json` and `drift --json` print of many tenants.
 *
 * Each is written as soon as all before it in the list are over, so that few are in memory at a time.
 */
#ifndef FLEET_JSON_H
#define FLEET_JSON_H

#include "fleet.h"

/* Zero but for its first two members until it is handed to fleet_json_write(). */
struct fleet_json {
    const struct fleet_words *words;
    const struct rollout *rollout;
    size_t written; /* so many tenants */
};

/* Writes those whose turn has come. Where the log is for machines the whole is one line, and nothing is
 * written before the end. */
void fleet_json_write(struct fleet_json *list);

/* Writes all that is left, and the counts. */
void fleet_json_end(struct fleet_json *list);

#endif

/*
 * How long the work of a statement takes, from how long it takes to read the table once. Pure.
 *
 * A range: caches, parallel workers, the disk and what else the server does decide within it.
 */
#ifndef SCHEMA_DURATION_H
#define SCHEMA_DURATION_H

#include <stdint.h>

#include "schema/effect.h"

struct duration_range {
    int64_t least_ms;
    int64_t most_ms; /* 0 = not estimated */
};

/* `read_ms` is what counting all rows would take on this server now, `indexes` how many a rewrite builds
 * anew. */
struct duration_range duration_estimate(enum work work, double read_ms, int64_t indexes);

#endif

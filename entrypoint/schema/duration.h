/*
 * How long the work of a statement takes, from the size of its table and a timed sample of it. Pure.
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

/* A table as it is now. */
struct duration_table {
    double rows;
    double pages;
    int64_t indexes;
    double speed; /* how many times as long as the reference server this one takes; 0 = not known */
};

/* What counting `rows` of a table, from memory, says of the server's speed. */
double duration_speed(double ms, double rows, double rows_per_page);

struct duration_range duration_estimate(enum work work, const struct duration_table *table);

#endif

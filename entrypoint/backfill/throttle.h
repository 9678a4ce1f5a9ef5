/*
 * When a backfill has to pause: what it does to others who live from the same server.
 */
#ifndef BACKFILL_THROTTLE_H
#define BACKFILL_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"
#include "sql/backfill.h"

struct throttle {
    struct throttle_wish limits;
    const char *table; /* qualified and quoted */
    double mark;       /* a place in the write-ahead log, in bytes, that some replica has yet to replay … */
    int64_t mark_ms;   /* … and when it was written */
    int64_t extended;  /* slots that held back too much before we began; -1 = not looked yet */
    bool was_failing;  /* the archiver, likewise */
    bool is_blind;     /* replicas are there, but not how far they are */
};

struct throttle throttle_begin(const struct throttle_wish *limits, const char *table);

/* Looks once; adds to `why` what is a reason to pause, or nothing. One round trip. */
must_use bool throttle_look(struct throttle *throttle, struct connection *conn, struct text *why,
                            struct error *err);

#endif

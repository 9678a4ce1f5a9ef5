/*
 * When a backfill has to pause: its effects on others that use the same server.
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
    int64_t slot_size; /* that limit, or less where the server never leaves so much */
    const char *table; /* qualified and quoted */
    double mark;       /* a position in the WAL, in bytes, that some replica has yet to replay … */
    int64_t mark_ms;   /* … and when it was written */
    int64_t extended;  /* slots that held back too much before we began; -1 = not checked yet */
    bool was_failing;  /* the archiver, likewise */
    bool is_blind;     /* there are replicas, but their lag is hidden */
};

struct throttle throttle_begin(const struct throttle_wish *limits, const char *table);

/* Checks once; adds the reason to pause, if any, to `why`. One round trip. */
must_use bool throttle_look(struct throttle *throttle, struct connection *conn, struct text *why,
                            struct error *err);

#endif

/*
 * Room beside the application: a deployment begins only while enough connections stay free for it.
 */
#ifndef APPLY_ROOM_H
#define APPLY_ROOM_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "postgres/connection.h"
#include "report/progress.h"

struct room {
    struct deadline until;
    struct deadline next_line; /* when the same is said again */
    bool is_enough;            /* by the last look */
    int left;                  /* for others, with our connection open */
    int max_connections;
    unsigned looks;
};

/* One round trip on a connection that is idle. What it counts is shown in `progress`. */
must_use bool room_look(struct room *room, struct connection *conn, const struct config *config,
                        struct progress *progress, struct error *err);

/* Pauses, jittered and growing. ERROR_BUDGET once the time is over; ERROR_INTERRUPTED. */
must_use bool room_pause(struct room *room, const struct config *config, struct error *err);

#endif

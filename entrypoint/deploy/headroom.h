/*
 * Headroom: a deployment begins only while enough connections stay free for the application.
 */
#ifndef DEPLOY_HEADROOM_H
#define DEPLOY_HEADROOM_H

#include <stdbool.h>

#include "base/error.h"
#include "base/patience.h"
#include "config/config.h"
#include "postgres/connection.h"
#include "report/progress.h"

struct headroom {
    struct patience patience;
    bool is_enough; /* at the last count */
    int left;       /* for others, with our connection open */
    int max_connections;
};

/* One round trip on an idle connection. The counts are shown in `progress`. */
must_use bool headroom_look(struct headroom *headroom, struct connection *conn, const struct config *config,
                            struct progress *progress, struct error *err);

/* Pauses, with jitter and growing. ERROR_BUDGET when the time is over; ERROR_INTERRUPTED. */
must_use bool headroom_pause(struct headroom *headroom, const struct config *config, struct error *err);

#endif

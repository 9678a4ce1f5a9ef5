/*
 * A beat once a second while the process waits, wherever it waits: so that who watches from outside sees it
 * live.
 */
#ifndef BASE_HEARTBEAT_H
#define BASE_HEARTBEAT_H

#include <poll.h>
#include <stdint.h>

#include "base/clock.h"

/* From now on `beat(context)` is called about once a second from every wait; NULL ends it. */
void heartbeat_set(void (*beat)(void *context), void *context);

/* Somebody who has to be looked after during every wait, whatever it is for: a second connection, a Lease. */
struct attendant {
    int fd; /* -1 = none yet */
    short events;
    struct deadline due; /* turn() is called then at the latest */
    void (*turn)(struct attendant *self);
    struct attendant *next; /* the heartbeat's own */
};

enum { ATTENDANTS_MOST = 8 };

/* From now on its turn comes when its descriptor is ready or it is due, from every wait. turn() must not
 * wait, and nobody else's comes while it is under way. It must live, where it is, until heartbeat_dismiss();
 * both may be said twice. */
void heartbeat_attend(struct attendant *attendant);
void heartbeat_dismiss(struct attendant *attendant);

/* poll() for at most `ms` milliseconds (0 = only look), with beats and turns in between. What poll() returns.
 * At most HEARTBEAT_WATCHED descriptors. */
enum { HEARTBEAT_WATCHED = 4 };
int heartbeat_poll(struct pollfd *watched, nfds_t count, int64_t ms);

#endif

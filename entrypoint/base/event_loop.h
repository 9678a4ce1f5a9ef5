/*
 * The one poll() of the process: whatever is waited for, everybody else who has to be looked after gets a
 * turn, and once a second there is a beat, so that who watches from outside sees the process live.
 */
#ifndef BASE_EVENT_LOOP_H
#define BASE_EVENT_LOOP_H

#include <poll.h>
#include <stdint.h>

#include "base/clock.h"

/* From now on `beat(context)` is called about once a second from every wait; NULL ends it. */
void event_loop_set_beat(void (*beat)(void *context), void *context);

/* Somebody who has to be looked after during every wait, whatever it is for: a second connection, a Lease. */
struct attendant {
    int fd; /* -1 = none yet */
    short events;
    struct deadline due; /* turn() is called then at the latest */
    void (*turn)(struct attendant *self);
    struct attendant *next; /* the event loop's own */
};

enum { ATTENDANTS_MOST = 8 };

/* From now on its turn comes when its descriptor is ready or it is due, from every wait. turn() must not
 * wait, and nobody else's comes while it is under way. It must live, where it is, until event_loop_dismiss();
 * both may be said twice. */
void event_loop_attend(struct attendant *attendant);
void event_loop_dismiss(struct attendant *attendant);

/* poll() for at most `ms` milliseconds (0 = only look), with beats and turns in between. What poll() returns.
 * At most EVENT_LOOP_WATCHED descriptors. */
enum { EVENT_LOOP_WATCHED = 4 };
int event_loop_poll(struct pollfd *watched, nfds_t count, int64_t ms);

#endif

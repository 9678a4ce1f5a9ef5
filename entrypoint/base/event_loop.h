/*
 * The only poll() of the process: whatever it waits for, everything else that needs attention gets its turn,
 * and there is a beat once a second, so that an observer outside can see that the process is alive.
 */
#ifndef BASE_EVENT_LOOP_H
#define BASE_EVENT_LOOP_H

#include <poll.h>
#include <stdint.h>

#include "base/clock.h"

/* From now on `beat(context)` is called about once a second from every wait; NULL ends it. */
void event_loop_set_beat(void (*beat)(void *context), void *context);

/* Something that needs attention during every wait, whatever the wait is for: a second connection, a
 * Lease. */
struct attendant {
    int fd; /* -1 = none yet */
    short events;
    struct deadline due; /* turn() is called by then at the latest */
    void (*turn)(struct attendant *self);
    struct attendant *next; /* the event loop's own */
};

enum { ATTENDANTS_MOST = 8 };

/* From now on every wait calls turn() when its descriptor is ready or it is due. turn() must not wait, and no
 * other turn() is called while it runs. The attendant must stay where it is until event_loop_dismiss().
 * Calling either function twice is fine. */
void event_loop_attend(struct attendant *attendant);
void event_loop_dismiss(struct attendant *attendant);

/* poll() for at most `ms` milliseconds (0 = only look), with beats and turns in between. Returns what poll()
 * returns. At most EVENT_LOOP_WATCHED descriptors. */
enum { EVENT_LOOP_WATCHED = 4 };
int event_loop_poll(struct pollfd *watched, nfds_t count, int64_t ms);

/* For a turn() that has changed what the caller waits for: event_loop_poll() returns 0 at once. */
void event_loop_wake(void);

#endif

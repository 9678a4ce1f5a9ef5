/*
 * The only poll() of the process: whatever it waits for, everything else that needs attention gets its turn,
 * and there is a beat once a second, so that an observer outside can see that the process is alive. Several
 * tasks can go on at the same time, in one thread: while one waits, the others run.
 */
#ifndef BASE_EVENT_LOOP_H
#define BASE_EVENT_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

/* From now on `beat(context)` is called about once a second from every wait; NULL ends it. */
void event_loop_set_beat(void (*beat)(void *context), void *context);

/* Something that needs attention during every wait, whatever the wait is for: a second connection, a
 * Lease. */
struct attendant {
    int fd; /* -1 = none yet */
    short events;
    struct deadline due; /* turn() is called by then at the latest */
    void (*turn)(struct attendant *self);
    struct task *owner;     /* the event loop's own: the task that it was attended in … */
    struct attendant *next; /* … and the next one */
};

/* From now on every wait calls turn() when its descriptor is ready or it is due. turn() must not wait, and no
 * other turn() is called while it runs. The attendant must stay where it is until event_loop_dismiss().
 * Calling either function twice is fine. */
void event_loop_attend(struct attendant *attendant);
void event_loop_dismiss(struct attendant *attendant);

/* poll() for at most `ms` milliseconds (0 = only look), with beats and turns in between. Returns what poll()
 * returns. At most EVENT_LOOP_WATCHED descriptors. */
enum { EVENT_LOOP_WATCHED = 4 };
int event_loop_poll(struct pollfd *watched, nfds_t count, int64_t ms);

/* For whoever has changed what somebody else may wait for: every event_loop_poll() returns 0 at once. */
void event_loop_wake(void);

/* Starts a task: run(context) goes on whenever the caller, which is not a task itself, waits in
 * event_loop_poll(); when it ends, that wait is over, too. Its lines in the log have a context of their own,
 * which begins empty. False = there is no memory for another one. */
must_use bool event_loop_start(void (*run)(void *context), void *context);

#endif

/*
 * A beat once a second while the process waits, wherever it waits: so that who watches from outside sees it
 * live.
 */
#ifndef BASE_HEARTBEAT_H
#define BASE_HEARTBEAT_H

#include <poll.h>
#include <stdint.h>

/* From now on `beat(context)` is called about once a second from every wait; NULL ends it. */
void heartbeat_set(void (*beat)(void *context), void *context);

/* poll() for at most `ms` milliseconds (0 = only look), with beats in between. What poll() returns. */
int heartbeat_poll(struct pollfd *watched, nfds_t count, int64_t ms);

#endif

#include "base/heartbeat.h"

#include <stddef.h>

#include "base/clock.h"

enum { BEAT_EVERY_MS = 1000, POLL_MOST_MS = 60 * 60 * 1000 };

static struct {
    void (*beat)(void *context);
    void *context;
    struct deadline next;
} heart;

void heartbeat_set(void (*beat)(void *context), void *context)
{
    heart.beat = beat;
    heart.context = context;
    heart.next = deadline_in(BEAT_EVERY_MS);
}

static void beat_if_due(void)
{
    if (heart.beat == NULL || !deadline_passed(heart.next))
        return;
    heart.beat(heart.context);
    heart.next = deadline_in(BEAT_EVERY_MS);
}

int heartbeat_poll(struct pollfd *watched, nfds_t count, int64_t ms)
{
    struct deadline until = deadline_in(ms);

    for (;;) {
        int64_t left = deadline_left_ms(until);
        int64_t most = heart.beat == NULL ? POLL_MOST_MS : deadline_left_ms(heart.next);
        int found = poll(watched, count, (int)(left < most ? left : most));

        beat_if_due();
        /* A signal ends a wait as well. */
        if (found != 0 || deadline_passed(until))
            return found;
    }
}

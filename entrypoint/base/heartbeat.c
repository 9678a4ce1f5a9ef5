#include "base/heartbeat.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

enum { BEAT_EVERY_MS = 1000, POLL_MOST_MS = 60 * 60 * 1000 };

static struct {
    void (*beat)(void *context);
    void *context;
    struct deadline next;
    struct attendant *attendant;
    bool is_turning;
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

void heartbeat_attend(struct attendant *attendant)
{
    heart.attendant = attendant;
}

/* Whose turn it is now: nobody's while one is under way. */
static struct attendant *attendant_now(void)
{
    return heart.is_turning ? NULL : heart.attendant;
}

static void turn_if_due(bool is_ready)
{
    struct attendant *attendant = attendant_now();

    if (attendant == NULL || (!is_ready && !deadline_passed(attendant->due)))
        return;
    heart.is_turning = true;
    attendant->turn(attendant);
    heart.is_turning = false;
}

/* Waits once; *is_ready says whether the attendant's descriptor is among those that can go on. */
static int poll_with_attendant(struct pollfd *watched, nfds_t count, int64_t ms, bool *is_ready)
{
    const struct attendant *attendant = attendant_now();
    struct pollfd all[HEARTBEAT_WATCHED + 1];
    int found;

    assert(count <= HEARTBEAT_WATCHED);
    if (attendant != NULL && deadline_left_ms(attendant->due) < ms)
        ms = deadline_left_ms(attendant->due);
    memcpy(all, watched, count * sizeof *all);
    all[count] = (struct pollfd) { .fd = attendant == NULL ? -1 : attendant->fd,
                                   .events = attendant == NULL ? 0 : attendant->events };
    found = poll(all, count + 1, (int)ms);
    if (found < 0)
        all[count].revents = 0;
    memcpy(watched, all, count * sizeof *all);
    *is_ready = all[count].revents != 0;
    return found - (found > 0 && *is_ready);
}

int heartbeat_poll(struct pollfd *watched, nfds_t count, int64_t ms)
{
    struct deadline until = deadline_in(ms);

    for (;;) {
        int64_t left = deadline_left_ms(until);
        int64_t most = heart.beat == NULL ? POLL_MOST_MS : deadline_left_ms(heart.next);
        bool is_ready;
        int found = poll_with_attendant(watched, count, left < most ? left : most, &is_ready);

        beat_if_due();
        turn_if_due(is_ready);
        /* A signal ends a wait as well. */
        if (found != 0 || deadline_passed(until))
            return found;
    }
}

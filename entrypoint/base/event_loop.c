#include "base/event_loop.h"

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
    struct attendant *first;
    bool is_turning;
    bool is_woken;
} heart;

void event_loop_set_beat(void (*beat)(void *context), void *context)
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

static struct attendant **place_of(const struct attendant *attendant)
{
    struct attendant **place = &heart.first;

    while (*place != NULL && *place != attendant)
        place = &(*place)->next;
    return place;
}

void event_loop_attend(struct attendant *attendant)
{
    struct attendant **place = place_of(attendant);

    if (*place != NULL)
        return;
    attendant->next = NULL;
    *place = attendant;
}

void event_loop_dismiss(struct attendant *attendant)
{
    struct attendant **place = place_of(attendant);

    if (*place != NULL)
        *place = attendant->next;
}

/* The attendants that may have a turn now: none while a turn() runs. */
static size_t attendants_now(struct attendant *out[ATTENDANTS_MOST])
{
    size_t count = 0;

    for (struct attendant *each = heart.is_turning ? NULL : heart.first; each != NULL; each = each->next) {
        assert(count < ATTENDANTS_MOST);
        out[count++] = each;
    }
    return count;
}

static void give_turns(struct attendant *const *attendants, const struct pollfd *seen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* An earlier turn() may have dismissed it. */
        if (*place_of(attendants[i]) == NULL ||
            (seen[i].revents == 0 && !deadline_passed(attendants[i]->due)))
            continue;
        heart.is_turning = true;
        attendants[i]->turn(attendants[i]);
        heart.is_turning = false;
    }
}

/* Waits once, for the caller's descriptors and for the attendants, whose turns it calls. Returns what poll()
 * says of the former. */
static int poll_once(struct pollfd *watched, nfds_t count, int64_t ms)
{
    struct attendant *attendants[ATTENDANTS_MOST];
    struct pollfd all[EVENT_LOOP_WATCHED + ATTENDANTS_MOST];
    size_t others = attendants_now(attendants);
    int found;

    assert(count <= EVENT_LOOP_WATCHED);
    memcpy(all, watched, count * sizeof *all);
    for (size_t i = 0; i < others; i++) {
        all[count + i] = (struct pollfd) { .fd = attendants[i]->fd, .events = attendants[i]->events };
        if (deadline_left_ms(attendants[i]->due) < ms)
            ms = deadline_left_ms(attendants[i]->due);
    }
    found = poll(all, count + others, (int)ms);
    for (size_t i = 0; i < others; i++) {
        if (found < 0)
            all[count + i].revents = 0;
        if (all[count + i].revents != 0)
            found--;
    }
    memcpy(watched, all, count * sizeof *all);
    beat_if_due();
    give_turns(attendants, all + count, others);
    return found;
}

int event_loop_poll(struct pollfd *watched, nfds_t count, int64_t ms)
{
    struct deadline until = deadline_in(ms);

    heart.is_woken = false;
    for (;;) {
        int64_t left = deadline_left_ms(until);
        int64_t most = heart.beat == NULL ? POLL_MOST_MS : deadline_left_ms(heart.next);
        int found = poll_once(watched, count, left < most ? left : most);

        /* A signal ends a wait as well. */
        if (found != 0 || heart.is_woken || deadline_passed(until))
            return found;
    }
}

void event_loop_wake(void)
{
    heart.is_woken = true;
}

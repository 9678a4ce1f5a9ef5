#include "lock/turn.h"

#include <stddef.h>
#include <string.h>

#include "base/event_loop.h"
#include "base/signals.h"

enum { WAIT_MS = 60 * 1000 };

static struct turn *first; /* in the order in which they asked */

static struct turn **place_of(const struct turn *turn)
{
    struct turn **place = &first;

    while (*place != NULL && *place != turn)
        place = &(*place)->next;
    return place;
}

static bool is_before(const struct turn *from, const struct turn *until, const char *key)
{
    while (from != until && strcmp(from->key, key) != 0)
        from = from->next;
    return from != until;
}

bool turn_take(struct turn *turn, const char *key, struct error *err)
{
    struct turn **place = place_of(turn);

    if (*place == NULL) {
        *turn = (struct turn) { .key = key };
        *place = turn;
    }
    while (is_before(first, turn, key) && signals_pending() == 0) {
        struct pollfd signal = { .fd = signals_descriptor(), .events = POLLIN };

        (void)event_loop_poll(&signal, 1, WAIT_MS);
    }
    if (!is_before(first, turn, key))
        return true;
    turn_give(turn);
    return signals_error(err);
}

void turn_give(struct turn *turn)
{
    struct turn **place = place_of(turn);
    bool is_awaited = turn_is_awaited(turn);

    if (*place == NULL)
        return;
    *place = turn->next;
    *turn = (struct turn) { .key = NULL };
    if (is_awaited)
        event_loop_wake();
}

bool turn_is_awaited(const struct turn *turn)
{
    return turn->key != NULL && is_before(turn->next, NULL, turn->key);
}

/*
 * Whose turn it is, of the tasks of this process that want the same leader lock: they are not each other's
 * rivals, and wait without asking the server.
 */
#ifndef LOCK_TURN_H
#define LOCK_TURN_H

#include <stdbool.h>

#include "base/error.h"

/* One task's. Zeroed, it has none. */
struct turn {
    const char *key; /* what is wanted; NULL = nothing */
    struct turn *next;
};

/* Waits until nobody who asked before still wants the same; then it is its own until turn_give(), before
 * which it must not move. Again is fine. False: ERROR_INTERRUPTED. `key` must live as long. */
must_use bool turn_take(struct turn *turn, const char *key, struct error *err);
void turn_give(struct turn *turn);

/* Whether another task waits for it. */
bool turn_is_awaited(const struct turn *turn);

#endif

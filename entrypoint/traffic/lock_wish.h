/*
 * The locks that statements are known to want before they are sent.
 */
#ifndef TRAFFIC_LOCK_WISH_H
#define TRAFFIC_LOCK_WISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "postgres/connection.h"
#include "traffic/blockers.h"

struct lock_wish {
    size_t statement;     /* its number in the script, from 0 */
    const char *relation; /* a table, or the index of one; quoted as it has to be */
    const char *mode;     /* as pg_locks names it */
    /* It drops foreign keys of the table, and locks what they reference: the one of that name; "" = all;
     * NULL = none. */
    const char *foreign_key;
};

/* Those of one script, in its order. */
struct lock_wishes {
    const struct lock_wish *items;
    size_t count;
    size_t capacity;
    bool is_known; /* the script was looked at … */
    bool is_long;  /* … and reads or writes all of a table that is there */
};

/* Which of them are asked for: those of the statements from `first` up to `end`. */
struct lock_question {
    const struct lock_wishes *wishes;
    size_t first;
    size_t end;
    int64_t old_ms;
    struct deadline
        *calm_until; /* begins zeroed: before that, no transaction that was seen is a second old */
};

/* One that somebody is in the way of. */
struct held_wish {
    struct wanted_lock lock; /* is_known is false: there is none */
    size_t statement;
};

/* The first that a transaction older than `old_ms` is in the way of; one whose age is hidden from us does not
 * count. One round trip where there is no old transaction at all, and none while that is known. */
must_use bool lock_wish_find_held(struct connection *conn, const struct lock_question *question,
                                  struct held_wish *out, struct error *err);

#endif

/*
 * A session that one tenant is done with, for the next one of the same database: to begin one takes longer
 * than most tenants have anything to do.
 */
#ifndef POSTGRES_HANDOVER_H
#define POSTGRES_HANDOVER_H

#include <stdbool.h>

#include "base/hash.h"
#include "config/url.h"
#include "postgres/connection.h"

/* Zeroed, there is none. */
struct handover {
    struct connection *conn;   /* idle, and as it was when it began; NULL = none */
    char key[SHA256_HEX_SIZE]; /* of the parameters that it began with */
    bool is_last;              /* nobody comes next: what is left is closed */
};

/* Takes over a session that is done with, and closes what was there. One that `is_used`, which has set
 * something or holds a lock, is reset first (DISCARD ALL: documentation, "DISCARD"). It is closed where it is
 * no longer idle, and where nobody comes next, or `handover` is NULL. */
void handover_leave(struct handover *handover, const struct endpoint *where, struct connection *conn,
                    bool is_used);

/* The session, if it began as one for `where` would, which must live as long as it; the caller's to close.
 * Otherwise NULL, and there is none any more. `handover` may be NULL. */
must_use struct connection *handover_take(struct handover *handover, const struct endpoint *where);

/* Closes it. */
void handover_end(struct handover *handover);

#endif

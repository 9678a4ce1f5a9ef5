/*
 * The beacon: which migration is being applied right now, for every session to see.
 *
 * It is a shared advisory lock, beside the leader lock, whose key is made from the migration's name. An
 * atomic migration has no row in the ledger before it is done; and a row that is unfinished does not tell
 * whether somebody is at work. The lock does, and it is gone at once when the session is.
 */
#ifndef LOCK_BEACON_H
#define LOCK_BEACON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"

/* The first half of its key; and that of one which ends with the transaction. */
#define BEACON_CLASS "1953063020"
#define BEACON_LOCAL_CLASS "1953063021"

/* What a session has lit; all zero when it begins. */
struct beacon {
    int64_t key;     /* 0 = none */
    bool is_unknown; /* whether that is so: to find out takes a look at all locks of the server */
};

/* Adds an expression that lights the one of this migration and puts out the others of the session. It never
 * waits. What is lit is unknown until beacon_lit() says that it has been evaluated. */
void beacon_add(struct beacon *beacon, const char *name, struct text *sql);
void beacon_lit(struct beacon *beacon, const char *name);

/* The same for as long as the transaction lasts, for sessions that others use as well. */
void beacon_add_local(const char *name, struct text *sql);

/* Those that a session has lit: the second halves of their keys. */
enum { BEACONS_MOST = 16 };
struct beacons {
    int64_t keys[BEACONS_MOST];
    size_t count;
    bool is_local; /* the session is a pooler's: it works for others as well */
};

/* Those of the server process `pid`. One round trip, read-only. */
must_use bool beacon_find(struct connection *conn, int pid, struct beacons *out, struct error *err);

/* Whether that of this migration is among them. */
bool beacon_is_lit(const struct beacons *beacons, const char *name);

#endif

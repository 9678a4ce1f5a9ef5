/*
 * A shadow: an empty database in which history is replayed, and which is gone, or empty again, at the end.
 *
 * It is one that the user gives, or one that is created on the live server. Either carries a mark of ours
 * from its beginning on, so that what a killed run left can be proven to be ours by the next one, which
 * removes it. (Between CREATE DATABASE and its mark lies a round trip: killed there, an empty
 * tidelock_shadow_… stays.) The live database is only read, and no lock of a table is ever held there.
 */
#ifndef SHADOW_SHADOW_H
#define SHADOW_SHADOW_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/url.h"
#include "dialect/dialect.h"
#include "postgres/connection.h"

/* What a shadow is wanted beside. */
struct shadow_request {
    const struct config *config;
    const struct dialect *dialect; /* for its codes */
    const struct endpoint *live;   /* the live database … */
    struct connection *conn; /* … and an idle session there, which outlives the shadow; both NULL where
                                none is known, and then the shadow must be given */
};

enum { SHADOW_NAME_SIZE = 32, SHADOW_MARK_SIZE = 160 };

struct shadow {
    struct arena *arena;
    struct config config;           /* how to connect to it */
    struct endpoint endpoint;       /* where it is */
    struct connection *conn;        /* the session that works in it; NULL = it is not open */
    struct connection *live;        /* the session that created it; NULL = it was given */
    bool is_on_live_server;         /* what all databases of a server share is the live one's, too */
    const char *name;               /* of the database */
    char created[SHADOW_NAME_SIZE]; /* the one that has to be dropped; empty = none */
    char mark[SHADOW_MARK_SIZE];    /* what proves the given one ours … */
    bool is_marked;                 /* … and whether that is there */
    const char *restore; /* what its schema "public" was like: owner, comment and grants; NULL = none */
};

/* Opens one, empty. ERROR_REFUSED for one that is the live database itself, not empty, or in use;
 * ERROR_DENIED where the role may not create one. On failure nothing is left. */
must_use bool shadow_open(struct arena *arena, const struct shadow_request *wanted, struct shadow *out,
                          struct error *err);

/* Empties or drops it, whatever came before, also after a signal. What can't be removed now is said, and
 * removed by the next run. A shadow that was never opened is fine, if it is zeroed. */
void shadow_close(struct shadow *shadow);

#endif

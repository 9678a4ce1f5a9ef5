/*
 * The two kinds of shadow. Of this room.
 */
#ifndef SHADOW_INTERNAL_H
#define SHADOW_INTERNAL_H

#include "shadow/shadow.h"

/* One that is created on the live server, dropped again; those that killed runs left are dropped first. */
must_use bool created_open(const struct shadow_request *wanted, struct shadow *shadow, struct error *err);
void created_close(struct shadow *shadow);

/* Whether a session is one's own: a script needs that, and so does what holds a lock. `option` says where it
 * leads. */
must_use bool shadow_check_session(const struct config *config, const struct endpoint *endpoint,
                                   struct connection *conn, const char *option, struct error *err);

/* The schema for the ledger: the one that the shadow's URL names, else the live one's, or NULL. */
const char *shadow_schema_of(const struct shadow_request *wanted, const struct shadow *shadow);

/* One that the user gives, emptied again. */
must_use bool given_open(const struct shadow_request *wanted, struct shadow *shadow, struct error *err);
void given_close(struct shadow *shadow);

#endif

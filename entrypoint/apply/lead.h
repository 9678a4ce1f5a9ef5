/*
 * Becoming the leader in order to edit the ledger by hand (resolve, baseline): connects, takes the leader
 * lock, follows while another process has it.
 */
#ifndef APPLY_LEAD_H
#define APPLY_LEAD_H

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"
#include "postgres/connection.h"

/* ERROR_USAGE for a URL that says it leads to a pooler (?pgbouncer=true): a leader needs a session of its
 * own. */
must_use bool lead_check_endpoint(const struct endpoint *endpoint, struct error *err);

/* A connection that holds the leader lock, the caller's to close; NULL and `err` on failure. */
must_use struct connection *lead_connect(const struct config *config, const struct endpoint *endpoint,
                                         struct error *err);

/* A connection without the lock, within the deadlines of the configuration. `begun` is what begin_database()
 * gave, or NULL; it is taken over. */
must_use struct connection *reach_database(const struct config *config, const struct endpoint *endpoint,
                                           struct connection *begun, struct error *err);

/* See connection_begin(). */
must_use struct connection *begin_database(const struct config *config, const struct endpoint *endpoint);

#endif

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
#include "postgres/pooler.h"

/* Fills *out with what stands between us and the server, see pooler_detect(). Believes a URL that says it
 * leads to a pooler (?pgbouncer=true). */
must_use bool find_pooling(const struct config *config, const struct endpoint *endpoint,
                           struct connection *conn, enum pooling *out, struct error *err);

/* A connection that holds the leader lock, the caller's to close; NULL and `err` on failure. ERROR_USAGE
 * behind a pooler in transaction mode, which would keep the lock when we are gone. */
must_use struct connection *lead_connect(const struct config *config, struct endpoint *endpoint,
                                         struct error *err);

/* A connection without the lock, within the deadlines of the configuration. `begun` is what begin_database()
 * gave, or NULL; it is taken over. Credentials from a file are read again before each connection, and once
 * more when they are refused: they may rotate at any time. */
must_use struct connection *reach_database(const struct config *config, struct endpoint *endpoint,
                                           struct connection *begun, struct error *err);

/* See connection_begin(). */
must_use struct connection *begin_database(const struct config *config, const struct endpoint *endpoint);

#endif

/*
 * Connecting to the database: every connection of a command begins here.
 *
 * Passwords are requested or reread before each connection, and again when one is refused: they may rotate at
 * any time.
 */
#ifndef POSTGRES_REACH_H
#define POSTGRES_REACH_H

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"
#include "postgres/connection.h"
#include "postgres/pooler.h"

/* Fills *out with the kind of pooling, see pooler_detect(); after a failure it is not known. Trusts a URL
 * that says it leads to a pooler
 * (?pgbouncer=true). */
must_use bool reach_find_pooling(const struct config *config, const struct endpoint *endpoint,
                                 struct connection *conn, enum pooling *out, struct error *err);

/* A connection, within the deadlines of the configuration, that works as --set-role; the caller's to close.
 * `begun` is the result of reach_begin(), or NULL; it is taken over. NULL and `err` on failure. */
must_use struct connection *reach_database(const struct config *config, struct endpoint *endpoint,
                                           struct connection *begun, struct error *err);

/* See connection_begin(); the session that another tenant is done with, if it is one for this endpoint: see
 * postgres/handover.h. */
must_use struct connection *reach_begin(const struct config *config, const struct endpoint *endpoint);

#endif

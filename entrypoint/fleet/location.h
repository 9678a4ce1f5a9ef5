/*
 * Where tenants are: which of them share a server, and which a database. Asks nobody.
 */
#ifndef FLEET_LOCATION_H
#define FLEET_LOCATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"
#include "tenants/list.h"

/* As far as the configuration tells; empty = it does not. */
struct location {
    const char *server;
    const char *database;
    const char *schema;
    const char *ledger; /* what else its URL says of where the ledger is */
    const char *user;
    size_t index; /* the tenant's */
};

/* One for each tenant of the list, in an array of as many, those of a server and of a database beside each
 * other. What they point to lives in the configuration's arena. ERROR_USAGE. */
must_use bool locations_find(const struct config *config, const struct tenant_list *tenants,
                             struct location *out, struct error *err);

/* The text that stands for the server: a host's name may stand for several. */
const char *location_server(struct arena *arena, const struct endpoint *endpoint);

/* Whether the one at `number` is the first of its server, or its database. */
bool location_begins_server(const struct location *locations, size_t number);
bool location_begins_database(const struct location *locations, size_t number);

#endif

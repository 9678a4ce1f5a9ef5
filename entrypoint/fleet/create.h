/*
 * A new tenant: its database, and its schema, are created if they are not there and that is asked for.
 */
#ifndef FLEET_CREATE_H
#define FLEET_CREATE_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "tenants/tenant.h"

enum creation {
    CREATION_NONE,
    CREATION_DUE, /* with --dry-run: something would be created */
    CREATION_DONE,
};

/* Creates what is missing, as the user of the configuration's database URL; a tenant with a URL that leads to
 * another server is created there by the URL's user. Of several processes at once one creates it, the
 * others find it there. Nothing is asked unless --create is given, nor of a tenant that the server has
 * listed. ERROR_DENIED, ERROR_USAGE, and those of a connection. */
must_use bool create_missing(struct arena *arena, const struct config *config, const struct tenant *tenant,
                             enum creation *out, struct error *err);

#endif

/*
 * A tenant: one of the databases, or schemas, that a run is for.
 *
 * It says only what is its own; the configuration says the rest. Secrets in it are not registered with the
 * redactor until tenant_config() is asked for them.
 */
#ifndef TENANTS_TENANT_H
#define TENANTS_TENANT_H

#include "config/config.h"

enum { TENANT_NAME_MOST = 63 }; /* bytes */

/* The database that is there for administration, on every server: no tenant. */
#define MAINTENANCE_DATABASE "postgres"

/* NULL = not its own. */
struct tenant {
    const char *name; /* what logs and metrics call it: unique */
    const char *url;  /* secret: in place of the configuration's URLs */
    const char *url_file;
    const char *database; /* these three in place of what the URL says */
    const char *schema;
    const char *user;
    const char *password; /* secret */
    const char *password_file;
    bool is_there; /* the server itself has listed it */
};

/* The configuration for this tenant alone: endpoint_find() then finds its database. */
struct config tenant_config(const struct config *config, const struct tenant *tenant);

#endif

/*
 * Where tenants are, as far as that is known without asking: two in the same place are one too many.
 */
#ifndef TENANTS_ADDRESS_H
#define TENANTS_ADDRESS_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/url.h"
#include "tenants/tenant.h"

/* Begin with all but `base`. */
struct addresses {
    const struct config *config;
    bool is_asked; /* the rows come from the database: what they say is not the operator's word */
    bool has_base;
    struct endpoint base; /* what the configuration says, once it is needed */
};

/* A text that is the same for all who are in the same place: server, database, schema. Checks the URL.
 * ERROR_USAGE. */
must_use bool address_read(struct arena *arena, struct addresses *addresses, const struct tenant *tenant,
                           const char **out, struct error *err);

#endif

/*
 * A server that was out of reach for one tenant: the others there need not wait just as long.
 */
#ifndef FLEET_OUTAGE_H
#define FLEET_OUTAGE_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "tenants/tenant.h"

/* Of one server; zeroed = none is known. */
struct outage {
    bool is_on;
    const struct error *error; /* what the first tenant waited for a whole deadline for */
    const char *tenant;        /* … its name */
    struct deadline known_until;
};

/* What became of a tenant there that was tried: `err` is NULL where it is done. Any answer ends the outage.
 * Lives in the arena. */
void outage_note(struct outage *outage, struct arena *arena, const struct tenant *tenant,
                 const struct error *err);

/* Whether to try the next tenant. False for a few seconds after one in vain: `err` is that of the first. True
 * with one short try, by its configuration, as long as the outage is on. A server that answered, if only with
 * a refusal, is tried for each tenant: it may be a pooler, in front of several. */
must_use bool outage_allows(const struct outage *outage, struct config *config, struct error *err);

#endif

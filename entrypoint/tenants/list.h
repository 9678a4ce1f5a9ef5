/*
 * The tenants that a run is for.
 */
#ifndef TENANTS_LIST_H
#define TENANTS_LIST_H

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "tenants/tenant.h"

struct tenant_list {
    struct tenant *items; /* in the file's order; those of a query or a pattern by their names */
    size_t count;         /* 0 = nothing is to be done: the part has none */
    size_t canaries;      /* so many at the beginning come before all others */
    size_t failures_most; /* once more than these have failed, no other is begun; SIZE_MAX = never */
};

/* Whether an option is given that is about tenants. */
bool tenants_are_asked_for(const struct config *config);

/* Reads them from whichever source is given, and takes the part that --shard names. Names are unique, and no
 * two are known to be in the same place. A list, a query or a pattern without any is an
 * error. ERROR_USAGE with the place in the file, and the errors of a connection. Everything lives in the
 * arena. */
must_use bool tenants_read(struct arena *arena, const struct config *config, struct tenant_list *out,
                           struct error *err);

/* The same from there on, for rows that are read: one at least. */
struct tenant_rows;
must_use bool tenants_take(struct arena *arena, const struct config *config, const struct tenant_rows *rows,
                           struct tenant_list *out, struct error *err);

#endif

#include "fleet/location.h"

#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/memory.h"
#include "config/endpoint.h"

enum { PARTS_MOST = 16 * 1024 };

static int compare_locations(const void *one, const void *other)
{
    const struct location *left = one;
    const struct location *right = other;
    int order = strcmp(left->server, right->server);

    if (order == 0)
        order = strcmp(left->database, right->database);
    if (order == 0)
        order = strcmp(left->schema, right->schema);
    return order;
}

/* NULL, of a database that only a service file names, is as good as a name. */
static const char *keep(struct arena *arena, const char *text)
{
    return text == NULL ? "" : arena_copy(arena, text, strlen(text));
}

static const char *join(struct arena *arena, const char *const *parts, size_t count)
{
    auto_text struct text all = text_init(PARTS_MOST);

    for (size_t i = 0; i < count; i++)
        text_add_format(&all, "%s\n", parts[i] == NULL ? "" : parts[i]);
    return arena_copy(arena, all.at, all.length);
}

/* What the URL says, or libpq's own variable. */
static const char *said(const struct endpoint *endpoint, const char *keyword, const char *variable)
{
    const char *value = endpoint_value(endpoint, keyword);

    return value != NULL ? value : env_value(variable);
}

/* Tools' own parameters. */
static const char *ledger_of(struct arena *arena, const struct endpoint *endpoint)
{
    const char *const parts[] = { endpoint->search_path, endpoint->ledger_schema, endpoint->ledger_table,
                                  said(endpoint, "options", "PGOPTIONS") };

    return join(arena, parts, array_length(parts));
}

const char *location_server(struct arena *arena, const struct endpoint *endpoint)
{
    const char *const parts[] = { endpoint->label, said(endpoint, "hostaddr", "PGHOSTADDR"),
                                  said(endpoint, "port", "PGPORT"), said(endpoint, "service", "PGSERVICE") };

    return join(arena, parts, array_length(parts));
}

static bool locate(const struct config *base, const struct tenant *tenant, struct location *out,
                   struct error *err)
{
    struct config config = tenant_config(base, tenant);
    auto_arena struct arena *scratch = arena_new();
    struct endpoint endpoint;

    config.arena = scratch;
    if (!endpoint_find(scratch, &config, &endpoint, err))
        return error_context(err, "reading the URL of tenant \"%s\"", tenant->name);
    out->server = location_server(base->arena, &endpoint);
    out->database = keep(base->arena, endpoint_database(&endpoint));
    out->schema = keep(base->arena, endpoint.schema);
    out->ledger = ledger_of(base->arena, &endpoint);
    out->user = keep(base->arena, endpoint_value(&endpoint, "user"));
    return true;
}

bool locations_find(const struct config *config, const struct tenant_list *tenants, struct location *out,
                    struct error *err)
{
    for (size_t i = 0; i < tenants->count; i++) {
        out[i].index = i;
        if (!locate(config, &tenants->items[i], &out[i], err))
            return false;
    }
    qsort(out, tenants->count, sizeof *out, compare_locations);
    return true;
}

bool location_begins_server(const struct location *locations, size_t number)
{
    return number == 0 || strcmp(locations[number - 1].server, locations[number].server) != 0;
}

bool location_begins_database(const struct location *locations, size_t number)
{
    return location_begins_server(locations, number) ||
           strcmp(locations[number - 1].database, locations[number].database) != 0;
}

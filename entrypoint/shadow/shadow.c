#include "shadow/shadow.h"

#include <string.h>

#include "postgres/reach.h"
#include "shadow/internal.h"

bool shadow_check_session(const struct config *config, const struct endpoint *endpoint,
                          struct connection *conn, const char *option, struct error *err)
{
    enum pooling pooling;

    if (!reach_find_pooling(config, endpoint, conn, &pooling, err))
        return error_context(err, "looking for a pooler in front of the shadow database");
    if (pooling != POOLING_TRANSACTION)
        return true;
    error_set(err, ERROR_USAGE, "a shadow database cannot be behind a pooler in transaction mode");
    return error_hint(err, "Set %s to the server's own address.", option);
}

const char *shadow_schema_of(const struct shadow_request *wanted, const struct shadow *shadow)
{
    if (shadow->endpoint.schema != NULL)
        return shadow->endpoint.schema;
    return wanted->live == NULL ? NULL : wanted->live->schema;
}

bool shadow_open(struct arena *arena, const struct shadow_request *wanted, struct shadow *out,
                 struct error *err)
{
    bool is_created = strcmp(wanted->config->shadow, SHADOW_CREATE) == 0;

    *out = (struct shadow) { .arena = arena };
    if (is_created ? created_open(wanted, out, err) : given_open(wanted, out, err))
        return true;
    shadow_close(out);
    return false;
}

void shadow_close(struct shadow *shadow)
{
    if (shadow->live != NULL)
        created_close(shadow);
    else if (shadow->conn != NULL)
        given_close(shadow);
    connection_close(shadow->conn);
    shadow->conn = shadow->live = NULL;
}

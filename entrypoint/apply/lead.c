#include "apply/lead.h"

#include "apply/follow.h"
#include "base/memory.h"
#include "config/rotation.h"
#include "lock/leader.h"

static int64_t try_timeout_ms(const struct config *config, const struct endpoint *endpoint)
{
    return endpoint->connect_timeout_ms >= 0 ? endpoint->connect_timeout_ms : config->connect_timeout_ms;
}

struct connection *begin_database(const struct config *config, const struct endpoint *endpoint)
{
    return connection_begin(endpoint, try_timeout_ms(config, endpoint));
}

/* Poolers refuse a password with a code of their own. */
static bool is_refusal(const struct error *err)
{
    return err->class == ERROR_USAGE || err->class == ERROR_REFUSED;
}

struct connection *reach_database(const struct config *config, struct endpoint *endpoint,
                                  struct connection *begun, struct error *err)
{
    struct patience patience = { .reach = deadline_in(config->connect_deadline_ms),
                                 .room = deadline_in(config->budget_wait_ms) };

    if (begun == NULL)
        (void)endpoint_reread(config, endpoint);
    for (;;) {
        struct connection *conn =
            connection_reach(begun == NULL ? begin_database(config, endpoint) : begun, patience, err);

        if (conn != NULL || !is_refusal(err) || !endpoint_reread(config, endpoint))
            return conn;
        begun = NULL;
    }
}

bool find_pooling(const struct config *config, const struct endpoint *endpoint, struct connection *conn,
                  enum pooling *out, struct error *err)
{
    bool is_between;

    *out = endpoint->is_pooler ? POOLING_TRANSACTION : POOLING_NONE;
    if (endpoint->is_pooler)
        return true;
    if (!pooler_is_between(conn, &is_between, err))
        return false;
    if (is_between && config->connections < 2) {
        *out = POOLING_TRANSACTION;
        return true;
    }
    return !is_between || pooler_detect(conn, endpoint, try_timeout_ms(config, endpoint), out, err);
}

static bool check_session(const struct config *config, const struct endpoint *endpoint,
                          struct connection *conn, struct error *err)
{
    enum pooling pooling;

    if (!find_pooling(config, endpoint, conn, &pooling, err))
        return false;
    if (pooling == POOLING_NONE)
        return true;
    error_set(err, ERROR_USAGE, "the database URL leads to a pooler in transaction mode");
    error_holds(err, "Nothing was changed.");
    return error_hint(err,
                      "Give the database itself as DIRECT_URL: behind such a pooler a leader lock stays in a "
                      "session that others use.");
}

struct connection *lead_connect(const struct config *config, struct endpoint *endpoint, struct error *err)
{
    struct follow follow = { .until = deadline_in(config->leader_timeout_ms) };

    for (;;) {
        auto_connection struct connection *conn = reach_database(config, endpoint, NULL, err);
        struct leader holder;

        if (conn == NULL || !check_session(config, endpoint, conn, err))
            return NULL;
        switch (leader_try(conn, &holder, err)) {
        case LEADER_TAKEN:
            return steal(&conn);
        case LEADER_UNKNOWN:
            return NULL;
        case LEADER_HELD:
            break;
        }
        connection_close(steal(&conn));
        if (!follow_pause(&follow, &holder, err))
            return NULL;
    }
}

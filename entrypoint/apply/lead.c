#include "apply/lead.h"

#include "apply/follow.h"
#include "base/memory.h"
#include "lock/leader.h"

static int64_t try_timeout_ms(const struct config *config, const struct endpoint *endpoint)
{
    return endpoint->connect_timeout_ms >= 0 ? endpoint->connect_timeout_ms : config->connect_timeout_ms;
}

struct connection *begin_database(const struct config *config, const struct endpoint *endpoint)
{
    return connection_begin(endpoint, try_timeout_ms(config, endpoint));
}

struct connection *reach_database(const struct config *config, const struct endpoint *endpoint,
                                  struct connection *begun, struct error *err)
{
    if (begun == NULL)
        begun = begin_database(config, endpoint);
    return connection_reach(begun,
                            (struct patience) { .reach = deadline_in(config->connect_deadline_ms),
                                                .room = deadline_in(config->budget_wait_ms) },
                            err);
}

bool lead_check_endpoint(const struct endpoint *endpoint, struct error *err)
{
    if (!endpoint->is_pooler)
        return true;
    error_set(err, ERROR_USAGE, "the database URL leads to a transaction-mode pooler (pgbouncer=true)");
    error_holds(err, "Nothing was changed.");
    return error_hint(
        err,
        "Give the database itself as DIRECT_URL: behind such a pooler the leader lock would protect "
        "nothing.");
}

struct connection *lead_connect(const struct config *config, const struct endpoint *endpoint,
                                struct error *err)
{
    struct follow follow = { .until = deadline_in(config->leader_timeout_ms) };

    if (!lead_check_endpoint(endpoint, err))
        return NULL;
    for (;;) {
        auto_connection struct connection *conn = reach_database(config, endpoint, NULL, err);
        struct leader holder;

        if (conn == NULL)
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

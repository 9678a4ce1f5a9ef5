#include "lock/acquire.h"

#include "base/memory.h"
#include "lock/follow.h"
#include "lock/leader.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "postgres/writable.h"

/* Nobody who waits for a lock on the ledger may keep the others waiting for the leader. */
static const struct query LIMIT = { .name = "limit_lock_waits", .sql = "SET lock_timeout = '10s'" };

static bool check_session(const struct config *config, const struct endpoint *endpoint,
                          struct connection *conn, struct error *err)
{
    enum pooling pooling;

    if (!reach_find_pooling(config, endpoint, conn, &pooling, err))
        return false;
    if (pooling == POOLING_NONE)
        return true;
    error_set(err, ERROR_USAGE, "the database URL leads to a pooler in transaction mode");
    error_holds(err, "Nothing was changed.");
    return error_hint(
        err,
        "Set DIRECT_URL to the database's own address: behind such a pooler, the leader lock would stay "
        "in a session that others use.");
}

/* It only reads, so it neither takes the lock nor waits for who has it. */
static struct connection *look(const struct config *config, struct endpoint *endpoint, const char *lock_key,
                               struct error *err)
{
    auto_connection struct connection *conn = reach_database(config, endpoint, NULL, err);

    return conn != NULL && check_session(config, endpoint, conn, err) && follow_warn(conn, lock_key, err)
               ? steal(&conn)
               : NULL;
}

static struct connection *lead(const struct config *config, struct endpoint *endpoint, const char *lock_key,
                               struct error *err)
{
    struct patience patience = { .until = deadline_in(config->leader_timeout_ms) };

    for (;;) {
        auto_connection struct connection *conn = writable_reach(config, endpoint, err);
        struct leader holder;

        if (conn == NULL || !check_session(config, endpoint, conn, err))
            return NULL;
        switch (leader_try(conn, &(const struct leader_claim) { .key = lock_key }, &holder, err)) {
        case LEADER_TAKEN:
            return query_run(conn, &LIMIT, NULL, NULL, err) ? steal(&conn) : NULL;
        case LEADER_UNKNOWN:
            return NULL;
        case LEADER_HELD:
            break;
        }
        connection_close(steal(&conn));
        if (!follow_pause(&patience, &holder, err))
            return NULL;
    }
}

struct connection *acquire_session(const struct config *config, struct endpoint *endpoint,
                                   const char *lock_key, struct error *err)
{
    return (config->is_dry_run ? look : lead)(config, endpoint, lock_key, err);
}

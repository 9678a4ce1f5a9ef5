#include "base/log.h"
#include "config/endpoint.h"
#include "deploy/continuity.h"
#include "deploy/internal.h"
#include "postgres/reach.h"

enum { KEY_MOST = 4096 };

bool deployment_find_pooling(struct deployment *d, struct error *err)
{
    if (d->pooling == POOLING_UNKNOWN) {
        if (!reach_find_pooling(d->config, d->endpoint, d->conn, &d->pooling, err))
            return error_context(err, "checking for a pooler");
        if (d->pooling == POOLING_TRANSACTION)
            watch_forbid(&d->watch, "behind a pooler it cannot tell which session to watch");
        if (d->pooling == POOLING_TRANSACTION)
            log_info(
                "behind a pooler in transaction mode: each migration takes the leader lock for its own "
                "transaction; with DIRECT_URL a deployment holds it throughout");
    }
    return true;
}

/* Where the session is known to be ours, or where the server says so at once: `is_between` gets whether it
 * does not, or is NULL. */
static enum leader_answer try_session(struct deployment *d, bool *is_between, struct error *err)
{
    struct identity server;
    const struct leader_claim claim = { .key = d->ledger.lock_key,
                                        .server = &server,
                                        .is_between = is_between };
    enum leader_answer answer = leader_try(d->conn, &claim, &d->holder, err);

    if (answer != LEADER_UNKNOWN)
        d->pooling = POOLING_NONE;
    return answer != LEADER_TAKEN || continuity_lead(d, &server, err) ? answer : LEADER_UNKNOWN;
}

/* Behind a pooler in transaction mode, nothing is taken here: each transaction takes the lock. Headroom is
 * then the pooler's concern, which already has the connections. */
static enum leader_answer try_to_lead(struct deployment *d, bool *is_between, struct error *err)
{
    const char *database = endpoint_database(d->endpoint);
    auto_text struct text key = text_init(KEY_MOST);

    text_add_format(&key, "%s\n%s\n%s", d->endpoint->label, database == NULL ? "" : database,
                    d->ledger.lock_key);
    if (!turn_take(&d->turn, arena_copy(d->arena, key.at, key.length), err))
        return LEADER_UNKNOWN;
    if (d->pooling != POOLING_TRANSACTION)
        return try_session(d, is_between, err);
    if (!leader_find(d->conn, d->ledger.lock_key, &d->holder, err))
        return LEADER_UNKNOWN;
    return d->holder.pid == 0 ? LEADER_TAKEN : LEADER_HELD;
}

/* Whether the server has room for what whoever leads opens; `next` is what then comes. */
static enum phase look_for_room(struct deployment *d, enum phase next, struct error *err)
{
    if (d->pooling == POOLING_TRANSACTION)
        return next;
    if (!headroom_look(&d->headroom, d->conn, d->config, d->progress, err))
        return PHASE_FAILED;
    if (!d->headroom.is_enough)
        return PHASE_BUDGETING;
    if (d->headroom.left <= d->config->headroom)
        watch_forbid(&d->watch, "the application would have too few connections left");
    return next;
}

static enum phase try_lease(struct deployment *d, struct error *err)
{
    switch (lease_try(&d->lease, err)) {
    case LEASE_TAKEN:
        return PHASE_LEADING;
    case LEASE_FREE:
    case LEASE_HELD:
        return PHASE_FOLLOWING;
    case LEASE_UNKNOWN:
        break;
    }
    return PHASE_FAILED;
}

static enum phase conclude(struct deployment *d, enum leader_answer answer, struct error *err)
{
    switch (answer) {
    case LEADER_TAKEN:
        return d->lease.name == NULL ? look_for_room(d, PHASE_PREPARING, err) : PHASE_PREPARING;
    case LEADER_HELD:
        return PHASE_FOLLOWING;
    case LEADER_UNKNOWN:
        break;
    }
    error_context(err, "taking the leader lock");
    return PHASE_FAILED;
}

/* Most sessions are the server's own, which one question tells together with the lock. */
static bool may_try_at_once(const struct deployment *d)
{
    return d->pooling == POOLING_UNKNOWN && !d->endpoint->is_pooler && d->lease.name == NULL;
}

/* A Lease is not taken before there is room for its holder. Without one, most that come here find a leader,
 * and need not count; where there is no room, the lock is given back with its session. */
enum phase deployment_lead(struct deployment *d, struct error *err)
{
    bool is_between = false;
    enum phase next;

    if (may_try_at_once(d)) {
        enum leader_answer answer = try_to_lead(d, &is_between, err);

        if (!is_between)
            return conclude(d, answer, err);
    }
    if (!deployment_find_pooling(d, err))
        return PHASE_FAILED;
    if (connection_is_lost(d->conn))
        return PHASE_CONNECTING;
    next = d->lease.name == NULL ? PHASE_LEADING : look_for_room(d, PHASE_LEADING, err);
    if (next == PHASE_LEADING)
        next = try_lease(d, err);
    return next == PHASE_LEADING ? conclude(d, try_to_lead(d, NULL, err), err) : next;
}

enum phase deployment_lead_once(struct deployment *d, struct error *err)
{
    switch (leader_begin(d->conn, d->ledger.lock_key, &d->holder, err)) {
    case LEADER_TAKEN:
        return PHASE_PREPARING;
    case LEADER_HELD:
        return PHASE_FOLLOWING;
    case LEADER_UNKNOWN:
        break;
    }
    return PHASE_FAILED;
}

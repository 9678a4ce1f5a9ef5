#include "deploy/continuity.h"
#include "deploy/internal.h"
#include "history/journal.h"
#include "lock/tool_lock.h"
#include "postgres/reach.h"

enum { LEAD_AGAIN_MS = 5000, LEAD_PAUSE_MS = 50 };

/* The session that the server has ended may hold the lock for a moment more. */
static bool lead_again(struct connection *conn, const char *key, struct identity *server, struct error *err)
{
    struct patience patience = { .until = deadline_in(LEAD_AGAIN_MS) };
    const struct leader_claim claim = { .key = key, .server = server };
    struct leader holder;

    for (;;) {
        switch (leader_try(conn, &claim, &holder, err)) {
        case LEADER_TAKEN:
            return true;
        case LEADER_HELD:
            if (!patience_is_over(&patience) && patience_pause(&patience, LEAD_PAUSE_MS, err))
                continue;
            return false;
        case LEADER_UNKNOWN:
            return false;
        }
    }
}

struct connection *deployment_reconnect(void *context)
{
    struct deployment *d = context;
    struct identity server = { .system = "" };
    struct error err;
    auto_connection struct connection *conn = reach_database(d->config, d->endpoint, NULL, &err);

    if (conn == NULL ||
        (d->pooling != POOLING_TRANSACTION &&
         (!lead_again(conn, d->ledger.lock_key, &server, &err) || !tool_lock_take(conn, &d->ledger, &err))))
        return NULL;
    /* Its ledger has to be looked at first. */
    if (continuity_is_broken(d, &server))
        return NULL;
    if (d->ledger.has_attempts &&
        !journal_find(&(const struct journal) { .conn = conn, .ledger_schema = d->ledger.schema }, &err))
        return NULL;
    connection_close(d->conn);
    d->conn = steal(&conn);
    d->beacon = (struct beacon) { .key = 0 };
    return d->conn;
}

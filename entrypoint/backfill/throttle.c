#include "backfill/throttle.h"

#include "base/clock.h"
#include "base/log.h"
#include "postgres/query.h"

/* Dead rows are a reason to pause only while an autovacuum is running, since only it can remove them. */
#define DEAD_SHARE "0.2"

/* Columns: */
enum {
    REPLICAS_HIDDEN, /* a role without pg_monitor sees that they exist, nothing more */
    REPLICA_LAG_MS,  /* of the worst replica, as reported … */
    REPLICA_LAG_SIZE,
    REPLICA_AT, /* … and its position in the WAL */
    REPLICA_NAME,
    LOG_AT, /* ours */
    SLOT_ROOM,
    SLOT_ROOM_MOST, /* what a slot has at best, if that is limited at all */
    SLOTS_EXTENDED,
    SLOTS_UNRESERVED,
    SESSIONS_ACTIVE,
    SESSIONS_MOST,
    IS_VACUUMED,
    IS_ARCHIVER_FAILING
};

/* $1 is the table, whose partitions and children count, too. A replica that is taking a base backup replays
 * nothing. */
static const struct query LOOK = {
    .name = "throttle",
    .parameters = 1,
    .sql =
        "WITH RECURSIVE " INHERITANCE_TREE("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid") ", replicas AS ("
        " SELECT state, application_name, replay_lag,"
        "        pg_catalog.pg_wal_lsn_diff(replay_lsn, '0/0') AS at"
        "   FROM pg_catalog.pg_stat_replication"
        "), here AS ("
        " SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0') AS at"
        "), worst AS ("
        " SELECT * FROM replicas"
        "  WHERE state OPERATOR(pg_catalog.=) ANY ('{streaming,catchup}'::pg_catalog.text[])"
        "  ORDER BY at LIMIT 1"
        "), room AS ("
        " SELECT pg_catalog.max(setting::pg_catalog.int8) FILTER"
        "         (WHERE name OPERATOR(pg_catalog.=) 'max_slot_wal_keep_size') AS slots,"
        "        pg_catalog.max(setting::pg_catalog.int8) AS most"
        "   FROM pg_catalog.pg_settings"
        "  WHERE name OPERATOR(pg_catalog.=)"
        "        ANY ('{max_slot_wal_keep_size,wal_keep_size}'::pg_catalog.text[])"
        ") "
        "SELECT (SELECT pg_catalog.count(*) FROM replicas WHERE state IS NULL),"
        " (SELECT COALESCE(EXTRACT(epoch FROM pg_catalog.max(replay_lag)) OPERATOR(pg_catalog.*) 1000,"
        "                  0)::pg_catalog.int8 FROM replicas),"
        " (SELECT here.at OPERATOR(pg_catalog.-) worst.at FROM worst), (SELECT worst.at FROM worst),"
        " (SELECT application_name FROM worst), here.at,"
        " (SELECT pg_catalog.min(safe_wal_size) FROM pg_catalog.pg_replication_slots),"
        " (SELECT most OPERATOR(pg_catalog.*) 1048576 FROM room WHERE slots OPERATOR(pg_catalog.>=) 0),"
        " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots"
        "   WHERE wal_status OPERATOR(pg_catalog.=) 'extended'),"
        " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots"
        "   WHERE wal_status OPERATOR(pg_catalog.=) 'unreserved'),"
        " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity"
        "   WHERE state OPERATOR(pg_catalog.=) 'active'"
        "     AND backend_type OPERATOR(pg_catalog.=) 'client backend'"
        "     AND application_name OPERATOR(pg_catalog.!~~) 'tidelock %'),"
        " pg_catalog.current_setting('max_connections')::pg_catalog.int4,"
        " EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum AS v"
        "          JOIN tree AS t ON t.oid OPERATOR(pg_catalog.=) v.relid"
        "          JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid OPERATOR(pg_catalog.=) v.relid"
        "         WHERE v.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"
        "           AND s.n_dead_tup::pg_catalog.float8 OPERATOR(pg_catalog.>)"
        "               (" DEAD_SHARE
        "::pg_catalog.float8 OPERATOR(pg_catalog.*)"
        "                s.n_live_tup::pg_catalog.float8)),"
        " (SELECT pg_catalog.current_setting('archive_mode') OPERATOR(pg_catalog.<>) 'off'"
        "         AND COALESCE(last_failed_time OPERATOR(pg_catalog.>) last_archived_time,"
        "                      last_failed_time IS NOT NULL)"
        "    FROM pg_catalog.pg_stat_archiver)"
        " FROM here",
};

struct throttle throttle_begin(const struct throttle_wish *limits, const char *table)
{
    return (struct throttle) { .limits = *limits, .table = table, .extended = -1 };
}

/* The reported lag stops growing while replay is paused, so we also measure how long there has been something
 * to replay. */
static int64_t measure_lag_ms(struct throttle *throttle, const struct result *seen)
{
    int64_t now = clock_now_ms();
    int64_t reported = result_number(seen, 0, REPLICA_LAG_MS);

    if ((double)result_number(seen, 0, REPLICA_AT) >= throttle->mark) {
        throttle->mark = (double)result_number(seen, 0, LOG_AT);
        throttle->mark_ms = now;
    }
    return reported > now - throttle->mark_ms ? reported : now - throttle->mark_ms;
}

static void look_at_replicas(struct throttle *throttle, const struct result *seen, struct text *why)
{
    const struct throttle_wish *limits = &throttle->limits;
    int64_t behind = result_number(seen, 0, REPLICA_LAG_SIZE);
    int64_t lag_ms;
    char lag[32];
    char limit[32];

    throttle->is_blind = result_number(seen, 0, REPLICAS_HIDDEN) > 0;
    if (result_is_null(seen, 0, REPLICA_AT))
        return;
    lag_ms = measure_lag_ms(throttle, seen);
    if (limits->lag_ms > 0 && lag_ms > limits->lag_ms)
        text_add_format(why, "the replica \"%s\" is %s behind (lag=%s)", result_text(seen, 0, REPLICA_NAME),
                        duration_text(lag_ms, lag, sizeof lag),
                        duration_text(limits->lag_ms, limit, sizeof limit));
    else if (limits->lag_size > 0 && behind > limits->lag_size)
        text_add_format(why, "the replica \"%s\" is %lld MB behind (lag-size=%lldMB)",
                        result_text(seen, 0, REPLICA_NAME), (long long)(behind >> 20),
                        (long long)(limits->lag_size >> 20));
}

/* With max_slot_wal_keep_size, no slot ever has more room than that. */
static void lower_slot_limit(struct throttle *throttle, const struct result *seen)
{
    int64_t most = result_number(seen, 0, SLOT_ROOM_MOST);

    throttle->slot_size = throttle->limits.slot_size;
    if (result_is_null(seen, 0, SLOT_ROOM_MOST) || most / 2 >= throttle->slot_size)
        return;
    throttle->slot_size = most / 2;
    log_info(
        "replication slots of this server have %lld MB at most (max_slot_wal_keep_size): the backfill "
        "pauses when one has less than %lld MB left, not %lld MB",
        (long long)(most >> 20), (long long)(throttle->slot_size >> 20),
        (long long)(throttle->limits.slot_size >> 20));
}

/* A slot that already held back more than max_wal_size before we began may do so forever. */
static void look_at_slots(struct throttle *throttle, const struct result *seen, struct text *why)
{
    int64_t extended = result_number(seen, 0, SLOTS_EXTENDED);

    if (throttle->extended < 0) {
        throttle->extended = extended;
        lower_slot_limit(throttle, seen);
    }
    if (throttle->limits.slot_size == 0 || why->length > 0)
        return;
    if (result_number(seen, 0, SLOTS_UNRESERVED) > 0)
        text_add_string(why,
                        "a replication slot is about to lose the WAL that it needs (wal_status unreserved)");
    else if (!result_is_null(seen, 0, SLOT_ROOM) && result_number(seen, 0, SLOT_ROOM) < throttle->slot_size)
        text_add_format(why, "a replication slot has only %lld MB left (slot=%lldMB)",
                        (long long)(result_number(seen, 0, SLOT_ROOM) >> 20),
                        (long long)(throttle->slot_size >> 20));
    else if (extended > throttle->extended)
        text_add_string(why,
                        "a replication slot holds back more than max_wal_size (wal_status extended; slot=0 "
                        "ignores it)");
}

bool throttle_look(struct throttle *throttle, struct connection *conn, struct text *why, struct error *err)
{
    const char *const parameters[] = { throttle->table };
    auto_result struct result *seen = NULL;
    bool is_first = throttle->extended < 0;
    int64_t active;
    int64_t most;

    if (!query_run(conn, &LOOK, parameters, &seen, err))
        return error_context(err, "checking whether the backfill may continue");
    look_at_replicas(throttle, seen, why);
    look_at_slots(throttle, seen, why);
    active = result_number(seen, 0, SESSIONS_ACTIVE);
    most = result_number(seen, 0, SESSIONS_MOST);
    if (why->length == 0 && throttle->limits.active_percent > 0 &&
        active * 100 > most * throttle->limits.active_percent)
        text_add_format(why, "%lld of %lld sessions are active (active=%lld%%)", (long long)active,
                        (long long)most, (long long)throttle->limits.active_percent);
    if (why->length == 0 && result_bool(seen, 0, IS_VACUUMED))
        text_add_string(why, "an autovacuum is removing dead rows from the table");
    throttle->was_failing |= is_first && result_bool(seen, 0, IS_ARCHIVER_FAILING);
    if (why->length == 0 && result_bool(seen, 0, IS_ARCHIVER_FAILING) && !throttle->was_failing)
        text_add_string(why, "the server is failing to archive its WAL");
    return true;
}

#include "deploy/live_others.h"

#include "base/clock.h"
#include "postgres/query.h"
#include "traffic/blockers.h"

enum { TEXT_MOST = 4096 };

/* Transactions of this database that a new index has to wait for: those that may still see rows as they were.
 */
static const struct query SNAPSHOTS = {
    .name = "plan_snapshots",
    .sql =
        "SELECT " BLOCKER_COLUMNS
        "  FROM pg_catalog.pg_locks AS l"
        "  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid" BLOCKER_PREPARED
        " WHERE l.granted AND l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND a.backend_xmin IS NOT NULL"
        "   AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
        "   AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"
        " GROUP BY " BLOCKER_GROUPS " ORDER BY a.xact_start LIMIT 16",
};

/* $1 is the table, whose partitions count, too. */
static const struct query USE = {
    .name = "plan_use",
    .parameters = 1,
    .sql =
        "WITH RECURSIVE " INHERITANCE_TREE("SELECT $1::pg_catalog.oid") " "
        "SELECT COALESCE(pg_catalog.sum(s.seq_scan OPERATOR(pg_catalog.+) COALESCE(s.idx_scan, 0)), 0),"
        " COALESCE(pg_catalog.sum(s.n_tup_ins OPERATOR(pg_catalog.+) s.n_tup_upd"
        "          OPERATOR(pg_catalog.+) s.n_tup_del), 0)"
        " FROM tree AS p JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid OPERATOR(pg_catalog.=) p.oid",
};

/* A server in recovery has no position of its own to write at. What only copies the log replays nothing; of
 * what a role may not see, it sees that it is there. */
static const struct query REPLICAS = {
    .name = "plan_replicas",
    .sql =
        "SELECT pg_catalog.count(*), pg_catalog.max(CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN"
        " pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn) END)::pg_catalog.int8"
        " FROM pg_catalog.pg_stat_replication",
};

/* With CONCURRENTLY a statement waits for more than its lock conflicts with (documentation, CREATE INDEX,
 * "Building Indexes Concurrently"; REINDEX, "Rebuilding Indexes Concurrently"). */
static enum table_lock lock_waited_with(const struct finding *finding)
{
    if ((finding->change.traits & TRAIT_CONCURRENTLY) == 0)
        return finding->rule->lock;
    return finding->change.action == ACTION_CREATE_INDEX ? TABLE_LOCK_SHARE : TABLE_LOCK_ACCESS_EXCLUSIVE;
}

static bool read_snapshots(struct live *live, struct blockers *out, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!live_ask(live, &SNAPSHOTS, NULL, &rows, err))
        return false;
    blockers_read(rows, 0, out);
    return true;
}

/* The oldest would have to go first; how many more. */
bool live_look_at_sessions(struct live *live, struct finding *finding, struct error *err)
{
    bool is_concurrent = (finding->change.traits & TRAIT_CONCURRENTLY) != 0;
    struct wanted_lock wanted = { .is_known = true, .is_transaction = is_concurrent };
    auto_text struct text text = text_init(TEXT_MOST);
    struct blockers blockers;

    text_copy_cut(wanted.oid, sizeof wanted.oid, finding->table->oid);
    text_copy_cut(wanted.mode, sizeof wanted.mode, TABLE_LOCK_NAMES[lock_waited_with(finding)]);
    if (!blockers_find(live->conn, &wanted, &blockers, err))
        return false;
    if (blockers.count == 0 && is_concurrent && !read_snapshots(live, &blockers, err))
        return false;
    if (blockers.count == 0)
        return true;
    blocker_describe(&blockers.list[0], &text);
    if (blockers.count > 1)
        text_add_format(&text, ", and %zu more", blockers.count - 1);
    finding->held_by = arena_copy(live->arena, text.at, text.length);
    return true;
}

static struct live_use rate_of(const struct live_use *before, const struct live_use *after)
{
    double seconds = (double)(after->at_ms - before->at_ms) / 1000;

    /* A reset of the statistics in between leaves nothing to compare. */
    if (!before->is_known || seconds <= 0 || after->reads < before->reads || after->writes < before->writes)
        return (struct live_use) { .is_known = false };
    return (struct live_use) { .is_known = true,
                               .reads = (after->reads - before->reads) / seconds,
                               .writes = (after->writes - before->writes) / seconds };
}

static bool is_large(const struct live_table *table)
{
    return table->exists && table->rows > 0 && !live_is_small(table);
}

bool live_has_large(const struct live *live)
{
    for (size_t i = 0; i < live->count; i++) {
        if (is_large(live->tables[i]))
            return true;
    }
    return false;
}

bool live_look_at_use(struct live *live, bool is_second, struct error *err)
{
    for (size_t i = 0; i < live->count; i++) {
        struct live_table *table = live->tables[i];
        auto_result struct result *rows = NULL;
        struct live_use now;

        if (!is_large(table))
            continue;
        if (!live_ask(live, &USE, (const char *[]) { table->oid }, &rows, err))
            return false;
        now = (struct live_use) { .is_known = true,
                                  .at_ms = clock_now_ms(),
                                  .reads = (double)result_number(rows, 0, 0),
                                  .writes = (double)result_number(rows, 0, 1) };
        if (is_second)
            table->use = rate_of(&table->before, &now);
        else
            table->before = now;
    }
    return true;
}

bool live_look_at_replicas(struct live *live, struct live_replicas *out, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!live_ask(live, &REPLICAS, NULL, &rows, err))
        return false;
    out->count = result_number(rows, 0, 0);
    out->behind_bytes = result_is_null(rows, 0, 1) ? -1 : result_number(rows, 0, 1);
    return true;
}

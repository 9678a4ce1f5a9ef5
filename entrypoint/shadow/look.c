#include "shadow/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "postgres/query.h"

/* A table, index, view or sequence. */
struct item {
    int64_t oid;
    struct relation name;
    char kind;
    int64_t file;
    int64_t scans; /* in this transaction */
    int64_t table; /* of an index; else 0 */
};

struct held {
    int64_t oid;
    enum table_lock lock;
};

struct look {
    struct item *items; /* by their oids */
    size_t count;
    struct held *locks;
    size_t lock_count;
};

#define RELATIONS                                                                                            \
    "SELECT c.oid, n.nspname, c.relname, c.relkind,"                                                         \
    " COALESCE(pg_catalog.pg_relation_filenode(c.oid), 0), pg_catalog.pg_stat_get_xact_numscans(c.oid),"     \
    " COALESCE(i.indrelid, 0)"                                                                               \
    "  FROM pg_catalog.pg_class AS c"                                                                        \
    "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"                     \
    "  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid"                      \
    " WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,S,f,i,I}'::pg_catalog.\"char\"[])"               \
    "   AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])"    \
    "   AND n.nspname OPERATOR(pg_catalog.!~) '^pg_(toast|temp)' ORDER BY c.oid;"

#define LOCKS                                                                                                \
    "SELECT l.relation, l.mode FROM pg_catalog.pg_locks AS l"                                                \
    " WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted"                                      \
    "   AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"                                        \
    "   AND l.database OPERATOR(pg_catalog.<>) '0'::pg_catalog.oid"

static const struct query LOOK = { .name = "shadow_look", .sql = RELATIONS LOCKS };

/* What all databases share (database 0) is written to under a lock that is held until the end, but for
 * pg_shdepend (1214), which every owner is in. Where it is released at once (GRANT ON DATABASE), the rows
 * tell: they are of a transaction that is not over, and not older than ours. */
static const struct query SHARED = {
    .name = "shadow_shared",
    .sql =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l"
        "  WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted"
        "    AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
        "    AND l.database OPERATOR(pg_catalog.=) '0'::pg_catalog.oid"
        "    AND l.relation OPERATOR(pg_catalog.<>) '1214'::pg_catalog.oid"
        "    AND l.mode OPERATOR(pg_catalog.<>) ALL ('{AccessShareLock,RowShareLock}'::pg_catalog.text[]))"
        " OR EXISTS (SELECT FROM (SELECT xmin FROM pg_catalog.pg_database"
        "  UNION ALL SELECT xmin FROM pg_catalog.pg_tablespace) AS r"
        "  WHERE pg_catalog.txid_current_if_assigned() IS NOT NULL"
        "    AND pg_catalog.age(r.xmin) OPERATOR(pg_catalog.<=) 0"
        "    AND pg_catalog.txid_status((pg_catalog.txid_current_if_assigned() OPERATOR(pg_catalog.>>) 32"
        "      OPERATOR(pg_catalog.<<) 32) OPERATOR(pg_catalog.+) r.xmin::pg_catalog.text::pg_catalog.int8)"
        "      OPERATOR(pg_catalog.=) 'in progress')",
};

static enum table_lock lock_of(const char *mode)
{
    int lock = TABLE_LOCKS - 1;

    while (lock > TABLE_LOCK_NONE && strcmp(TABLE_LOCK_NAMES[lock], mode) != 0)
        lock--;
    return (enum table_lock)lock;
}

static void fill_items(const struct result *rows, struct look *look)
{
    look->count = (size_t)result_rows(rows);
    look->items = memory_new(look->count + 1, sizeof *look->items);
    for (size_t i = 0; i < look->count; i++) {
        struct item *item = &look->items[i];
        int row = (int)i;

        item->oid = result_number(rows, row, 0);
        text_copy_cut(item->name.schema, sizeof item->name.schema, result_text(rows, row, 1));
        text_copy_cut(item->name.name, sizeof item->name.name, result_text(rows, row, 2));
        item->kind = result_text(rows, row, 3)[0];
        item->file = result_number(rows, row, 4);
        item->scans = result_number(rows, row, 5);
        item->table = result_number(rows, row, 6);
    }
}

static void fill_locks(const struct result *rows, struct look *look)
{
    look->lock_count = (size_t)result_rows(rows);
    look->locks = memory_new(look->lock_count + 1, sizeof *look->locks);
    for (int i = 0; i < result_rows(rows); i++)
        look->locks[i] =
            (struct held) { .oid = result_number(rows, i, 0), .lock = lock_of(result_text(rows, i, 1)) };
}

struct look *look_take(struct connection *conn, struct error *err)
{
    auto_result struct result *items = NULL;
    auto_result struct result *locks = NULL;
    struct result *results[2];
    struct look *look;
    bool is_taken = query_several(conn, &LOOK, results, array_length(results), err);

    items = results[0];
    locks = results[1];
    if (!is_taken)
        return NULL;
    look = memory_new(1, sizeof *look);
    fill_items(items, look);
    fill_locks(locks, look);
    return look;
}

void look_free(struct look *look)
{
    if (look == NULL)
        return;
    memory_free(look->items);
    memory_free(look->locks);
    memory_free(look);
}

static int compare_oids(const void *one, const void *other)
{
    int64_t first = ((const struct item *)one)->oid;
    int64_t second = ((const struct item *)other)->oid;

    return (first > second) - (first < second);
}

static const struct item *find(const struct look *look, int64_t oid)
{
    const struct item wanted = { .oid = oid };

    return bsearch(&wanted, look->items, look->count, sizeof *look->items, compare_oids);
}

static enum table_lock strongest(const struct look *look, int64_t oid)
{
    enum table_lock most = TABLE_LOCK_NONE;

    for (size_t i = 0; i < look->lock_count; i++) {
        if (look->locks[i].oid == oid && look->locks[i].lock > most)
            most = look->locks[i].lock;
    }
    return most;
}

static bool is_held(const struct look *look, const struct held *held)
{
    for (size_t i = 0; i < look->lock_count; i++) {
        if (look->locks[i].oid == held->oid && look->locks[i].lock == held->lock)
            return true;
    }
    return false;
}

/* The strongest of the locks that were not held before. */
static enum table_lock strongest_new(const struct look *before, const struct look *now, int64_t oid)
{
    enum table_lock most = TABLE_LOCK_NONE;

    for (size_t i = 0; i < now->lock_count; i++) {
        if (now->locks[i].oid == oid && now->locks[i].lock > most && !is_held(before, &now->locks[i]))
            most = now->locks[i].lock;
    }
    return most;
}

/* An index of that table has a file that no relation had before. */
static bool is_built(const struct look *before, const struct look *now, int64_t table)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct item *index = &now->items[i];
        bool is_known = false;

        if (index->table != table || index->kind != 'i' || index->file == 0)
            continue;
        for (size_t j = 0; j < before->count && !is_known; j++)
            is_known = before->items[j].file == index->file;
        if (!is_known)
            return true;
    }
    return false;
}

/* Rows that are read under a weak lock are those of a query: how many they are, an empty table does not show.
 */
static enum work work_of(const struct look *before, const struct look *now, const struct item *then)
{
    const struct item *item = find(now, then->oid);

    if (item == NULL)
        return WORK_INSTANT;
    if (item->file != then->file && (item->kind == 'r' || item->kind == 'm'))
        return WORK_REWRITE;
    if (strchr("rpm", item->kind) == NULL)
        return WORK_INSTANT;
    if (is_built(before, now, item->oid))
        return WORK_INDEX;
    return item->scans > then->scans && strongest(now, item->oid) >= TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE
               ? WORK_SCAN
               : WORK_INSTANT;
}

/* The strongest lock first. */
static void add_relation(struct measurement *measurement, const struct measured_relation *relation)
{
    size_t at = measurement->count++;

    for (; at > 0 && measurement->relations[at - 1].lock < relation->lock; at--)
        measurement->relations[at] = measurement->relations[at - 1];
    measurement->relations[at] = *relation;
}

void look_compare(struct arena *arena, const struct look *first, const struct look *before,
                  const struct look *now, struct measurement *out)
{
    *out = (struct measurement) { .count = 0 };
    out->relations = arena_alloc(arena, now->lock_count + 1, sizeof *out->relations);
    for (size_t i = 0; i < before->count; i++) {
        const struct item *then = &before->items[i];
        enum table_lock held = strongest(now, then->oid);
        struct measured_relation relation = { .name = then->name };

        if (held == TABLE_LOCK_NONE || then->table != 0 || find(first, then->oid) == NULL)
            continue;
        relation.lock = strongest_new(before, now, then->oid);
        relation.work = work_of(before, now, then);
        if (held > out->held)
            out->held = held;
        if (relation.lock > out->lock)
            out->lock = relation.lock;
        if (relation.work > out->work)
            out->work = relation.work;
        if (relation.lock > TABLE_LOCK_NONE || relation.work > WORK_INSTANT)
            add_relation(out, &relation);
    }
}

bool look_for_shared(struct connection *conn, bool *is_written, struct error *err)
{
    auto_result struct result *row = NULL;

    if (!query_run(conn, &SHARED, NULL, &row, err))
        return false;
    *is_written = result_bool(row, 0, 0);
    return true;
}

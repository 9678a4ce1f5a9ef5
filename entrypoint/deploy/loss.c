#include "deploy/loss.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/memory.h"
#include "deploy/loss_weigh.h"
#include "history/script_file.h"
#include "postgres/query.h"

enum { LIST_MOST = 256 * 1024 * 1024, WHAT_SIZE = 64 };

#define OF_USERS                                                                                             \
    " NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')"                                         \
    " AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) 'information_schema'"                           \
    " AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[])"

/* All tables and their columns. A key is the oid and the number of the column, 0 = the table itself; and of a
 * table that holds something the number of its file, of a column its type. */
static const struct query BEFORE = {
    .name = "loss_before",
    .sql =
        "SELECT pg_catalog.array_agg(k.key)::pg_catalog.text, pg_catalog.array_agg(k.name)::pg_catalog.text,"
        " pg_catalog.array_agg(k.file)::pg_catalog.text, pg_catalog.array_agg(k.type)::pg_catalog.text FROM ("
        "SELECT pg_catalog.concat(c.oid, '.', a.attnum) AS key,"
        " pg_catalog.concat(n.nspname, '.', c.relname, a.attname) AS name,"
        " CASE WHEN a.attnum OPERATOR(pg_catalog.=) 0 AND pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog.>) 0"
        "  THEN pg_catalog.pg_relation_filenode(c.oid) ELSE 0 END AS file, a.type"
        " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " JOIN (SELECT attrelid, attnum, pg_catalog.concat('.', attname) AS attname,"
        "   pg_catalog.concat(atttypid, '.', atttypmod) AS type FROM pg_catalog.pg_attribute"
        "   WHERE attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped"
        "  UNION ALL SELECT oid, 0, '', '' FROM pg_catalog.pg_class) AS a"
        "  ON a.attrelid OPERATOR(pg_catalog.=) c.oid WHERE" OF_USERS ") AS k",
};

/* Of the keys $1, whose names are $2, files $3 and types $5, those that are gone, empty or of another type
 * now, or in another file, but for $4 and for columns of tables that are; and what became of each. In $4, a
 * key whose type may be another has a "t" in front, and one whose file may be an "f". */
static const struct query AFTER = {
    .name = "loss_after",
    .parameters = 5,
    .sql =
        "SELECT l.name, l.what FROM (SELECT b.key, b.name, CASE"
        " WHEN b.number OPERATOR(pg_catalog.>) 0 AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
        "  WHERE a.attrelid OPERATOR(pg_catalog.=) b.oid AND a.attnum OPERATOR(pg_catalog.=) b.number"
        "  AND a.attisdropped) THEN 'drops column'"
        " WHEN b.number OPERATOR(pg_catalog.>) 0 AND pg_catalog.concat('t', b.key)"
        "   OPERATOR(pg_catalog.<>) ALL ($4::pg_catalog.text[])"
        "  AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
        "  WHERE a.attrelid OPERATOR(pg_catalog.=) b.oid AND a.attnum OPERATOR(pg_catalog.=) b.number"
        "  AND pg_catalog.concat(a.atttypid, '.', a.atttypmod) OPERATOR(pg_catalog.<>) b.type)"
        "  THEN 'changes the type of column'"
        " WHEN b.number OPERATOR(pg_catalog.=) 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c"
        "  WHERE c.oid OPERATOR(pg_catalog.=) b.oid) THEN 'drops table'"
        " WHEN b.file OPERATOR(pg_catalog.>) 0"
        "  AND pg_catalog.pg_relation_filenode(b.oid) OPERATOR(pg_catalog.<>) b.file"
        "  THEN CASE WHEN pg_catalog.pg_relation_size(b.oid) OPERATOR(pg_catalog.=) 0 THEN 'empties table'"
        "   WHEN pg_catalog.concat('f', b.key) OPERATOR(pg_catalog.<>) ALL ($4::pg_catalog.text[])"
        "    THEN 'replaces the rows of table' END END AS what"
        " FROM (SELECT k.key, k.name, k.file, k.type, pg_catalog.split_part(k.key, '.', 1)::pg_catalog.oid AS oid,"
        "  pg_catalog.split_part(k.key, '.', 2)::pg_catalog.int2 AS number"
        "  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),"
        "   pg_catalog.unnest($3::pg_catalog.int8[]), pg_catalog.unnest($5::pg_catalog.text[]))"
        "  AS k (key, name, file, type)) AS b) AS l"
        " WHERE l.what IS NOT NULL AND l.key OPERATOR(pg_catalog.<>) ALL ($4::pg_catalog.text[]) ORDER BY l.what, l.name",
};

/* How many rows of which tables this session has deleted and changed: of earlier transactions, too, until it
 * tells the server's statistics, which it never does in a transaction. */
static const struct query COUNTS = {
    .name = "loss_counts",
    .sql =
        "SELECT pg_catalog.array_agg(d.oid)::pg_catalog.text, pg_catalog.array_agg(d.deleted)::pg_catalog.text,"
        " pg_catalog.array_agg(d.updated)::pg_catalog.text,"
        " pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'on'"
        " FROM (SELECT c.oid, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted,"
        "   pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated"
        "  FROM pg_catalog.pg_class AS c) AS d WHERE d.deleted OPERATOR(pg_catalog.>) 0"
        "  OR d.updated OPERATOR(pg_catalog.>) 0",
};

/* Tables of which rows were deleted or changed since they were $2 and $3, of the oids $1; directly or not. Of
 * partitions, the table that they are of. */
static const struct query CHANGED = {
    .name = "loss_changed",
    .parameters = 3,
    .sql =
        "SELECT n.nspname, c.relname, c.oid, pg_catalog.sum(d.deleted), pg_catalog.sum(d.updated)"
        " FROM (SELECT COALESCE(pg_catalog.pg_partition_root(s.oid)::pg_catalog.oid, s.oid) AS oid,"
        "  pg_catalog.pg_stat_get_xact_tuples_deleted(s.oid) OPERATOR(pg_catalog.-) COALESCE(b.deleted, 0)"
        "   AS deleted,"
        "  pg_catalog.pg_stat_get_xact_tuples_updated(s.oid) OPERATOR(pg_catalog.-) COALESCE(b.updated, 0)"
        "   AS updated"
        "  FROM pg_catalog.pg_class AS s"
        "  LEFT JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int8[]),"
        "    pg_catalog.unnest($3::pg_catalog.int8[]))"
        "   AS b (oid, deleted, updated) ON b.oid OPERATOR(pg_catalog.=) s.oid) AS d"
        " JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) d.oid"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE" OF_USERS
        " AND (d.deleted OPERATOR(pg_catalog.>) 0 OR d.updated OPERATOR(pg_catalog.>) 0)"
        " GROUP BY n.nspname, c.relname, c.oid ORDER BY n.nspname, c.relname",
};
enum { CHANGED_SCHEMA, CHANGED_TABLE, CHANGED_OID, CHANGED_DELETED, CHANGED_UPDATED };

/* ---- in the inverse's transaction ---- */

static void put(struct text *list, const struct result *row, int column)
{
    text_reset(list);
    text_add_string(list, result_is_null(row, 0, column) ? "{}" : result_text(row, 0, column));
}

static bool count(struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_result struct result *counts = NULL;

    if (!query_run(conn, &COUNTS, NULL, &counts, err))
        return false;
    put(&guard->counted, counts, 0);
    put(&guard->deleted, counts, 1);
    put(&guard->updated, counts, 2);
    if (result_bool(counts, 0, 3))
        return true;
    error_set(
        err, ERROR_REFUSED,
        "what the inverse of migration \"%s\" deletes and changes cannot be counted: track_counts is off",
        guard->execution->migration->name);
    return error_hint(err, "Turn it on, as it is by default; then type the same again.");
}

static bool begin(struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_result struct result *row = NULL;

    if (!query_run(conn, &BEFORE, NULL, &row, err) || !count(guard, conn, err))
        return false;
    put(&guard->keys, row, 0);
    put(&guard->names, row, 1);
    put(&guard->files, row, 2);
    put(&guard->types, row, 3);
    text_reset(&guard->settled);
    text_add_string(&guard->settled, "{");
    return true;
}

/* What is counted here may take longer than the script lets its statements. */
static bool lift_limit(struct loss_guard *guard, struct connection *conn, struct error *err)
{
    static const struct query query = {
        .name = "loss_unlimited",
        .sql = "SELECT pg_catalog.current_setting('statement_timeout'); SET LOCAL statement_timeout = 0",
    };
    auto_result struct result *row = NULL;

    if (!query_several(conn, &query, &row, 1, err))
        return false;
    text_copy_cut(guard->limit, sizeof guard->limit, result_text(row, 0, 0));
    return true;
}

static bool restore_limit(const struct loss_guard *guard, struct connection *conn, struct error *err)
{
    static const struct query query = {
        .name = "loss_limited",
        .parameters = 1,
        .sql = "SELECT pg_catalog.set_config('statement_timeout', $1, true)",
    };

    return strcmp(guard->limit, "0") == 0 ||
           query_run(conn, &query, (const char *[]) { guard->limit }, NULL, err);
}

static bool before(struct observer *observer, struct connection *conn, size_t statement, struct error *err)
{
    struct loss_guard *guard = (struct loss_guard *)(void *)observer;

    guard->assigned = (struct assigned) { .is_known = false };
    return lift_limit(guard, conn, err) && (statement > 0 || begin(guard, conn, err)) &&
           loss_weigh(guard, conn, statement, true, err) && restore_limit(guard, conn, err);
}

static bool refuse_rows(const struct loss_guard *guard, const struct victim *victim, const char *verb,
                        int64_t rows, struct error *err)
{
    char what[WHAT_SIZE];
    char lost[WHAT_SIZE] = "";

    if (victim->column[0] == '\0') {
        (void)snprintf(what, sizeof what, "%s %lld row%s of table", verb, (long long)rows,
                       rows == 1 ? "" : "s");
        return loss_refuse(guard, victim, what, "", err);
    }
    (void)snprintf(lost, sizeof lost, " in %lld row%s", (long long)rows, rows == 1 ? "" : "s");
    return loss_refuse(guard, victim, "overwrites column", lost, err);
}

/* Of one table. */
static bool check_rows(const struct loss_guard *guard, const struct result *rows, int row, struct error *err)
{
    struct victim victim = { result_text(rows, row, CHANGED_SCHEMA), result_text(rows, row, CHANGED_TABLE),
                             "" };
    const struct assigned *assigned = &guard->assigned;
    int64_t deleted = result_number(rows, row, CHANGED_DELETED);
    int64_t updated = result_number(rows, row, CHANGED_UPDATED);

    if (!loss_is_old(guard, result_text(rows, row, CHANGED_OID)) || loss_is_allowed(guard, &victim))
        return true;
    if (deleted > 0)
        return refuse_rows(guard, &victim, "deletes", deleted, err);
    if (assigned->is_known && strcmp(assigned->schema, victim.schema) == 0 &&
        strcmp(assigned->table, victim.table) == 0) {
        victim.column = assigned->column;
        if (victim.column[0] == '\0')
            return true;
    }
    return refuse_rows(guard, &victim, "changes", updated, err);
}

/* Whatever was deleted or changed, and by whatever. */
static bool check_changed(struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!query_run(conn, &CHANGED,
                   (const char *[]) { guard->counted.at, guard->deleted.at, guard->updated.at }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        if (!check_rows(guard, rows, i, err))
            return false;
    }
    return result_rows(rows) == 0 || count(guard, conn, err);
}

/* What the text has not shown was not counted, and is gone now. */
static bool check_gone(const struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_text struct text settled = text_init(LIST_MOST);
    auto_text struct text command = text_init(sizeof err->hint);
    auto_result struct result *rows = NULL;

    text_add_format(&settled, "%s}", guard->settled.at);
    if (!query_run(conn, &AFTER,
                   (const char *[]) { guard->keys.at, guard->names.at, guard->files.at, settled.at,
                                      guard->types.at },
                   &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        const char *name = result_text(rows, i, 0);

        if (loss_is_named(guard, name))
            continue;
        error_set(err, ERROR_REFUSED,
                  "the inverse of migration \"%s\" also %s \"%s\", which its text does not show",
                  guard->execution->migration->name, result_text(rows, i, 1), name);
        return error_hint(
            err,
            "Give that a statement of its own before, so that what would be lost is counted. To lose it "
            "whatever it holds: %s",
            loss_add_command(guard, name, &command));
    }
    return true;
}

static bool after(struct observer *observer, struct connection *conn, size_t statement, struct error *err)
{
    struct loss_guard *guard = (struct loss_guard *)(void *)observer;

    return lift_limit(guard, conn, err) && check_changed(guard, conn, err) &&
           (statement + 1 < guard->execution->summary.statements || check_gone(guard, conn, err)) &&
           restore_limit(guard, conn, err);
}

/* ---- before anything runs ---- */

/* CASCADE reaches what depends on what is named, and an extension has tables of its own. */
static bool reaches_far(struct slice statement)
{
    static const char *const words[] = { "cascade", "extension" };

    for (size_t i = 0; i < array_length(words); i++) {
        size_t length = strlen(words[i]);

        for (size_t at = 0; at + length <= statement.length; at++) {
            if (strncasecmp(statement.at + at, words[i], length) == 0)
                return true;
        }
    }
    return false;
}

/* Catalogs and tables may be locked, and rows many: whatever cannot be counted now is counted later. */
static bool look(struct loss_guard *guard, struct connection *conn, size_t statement, struct error *err)
{
    static const struct query start = {
        .name = "loss_start",
        .sql = "BEGIN READ ONLY; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'",
    };
    static const struct query end = { .name = "loss_end", .sql = "ROLLBACK" };
    struct error ignored;
    bool is_good;

    if (!query_several(conn, &start, NULL, 0, err))
        return false;
    is_good = loss_weigh(guard, conn, statement, false, err);
    if ((guard->is_blind || reaches_far(guard->statement) || !is_good) && guard->unseen_from == 0)
        guard->unseen_from = guard->line;
    if (connection_is_lost(conn) || !query_several(conn, &end, NULL, 0, is_good ? err : &ignored))
        return false;
    return is_good || (err->class != ERROR_REFUSED && err->class != ERROR_INTERRUPTED);
}

static bool look_at_all(struct loss_guard *guard, struct execution *execution, struct error *err)
{
    const struct execution *usual = guard->execution;
    bool is_good = true;

    guard->execution = execution;
    guard->unseen_from = 0;
    for (size_t i = 0; i < execution->summary.statements && is_good; i++)
        is_good = look(guard, execution->conn, i, err) || execution_point_at(execution, i, err);
    guard->execution = usual;
    guard->has_unseen |= guard->unseen_from > 0;
    return is_good || error_holds(err, "Nothing was changed.");
}

bool loss_foresee(struct loss_guard *guard, struct execution *execution, struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    const struct dialect *dialect = execution->ledger->dialect;
    bool is_good;

    if (!migration_read(dialect, execution->migration, &bytes, err) ||
        !migration_prepare(execution->ledger->folder, execution->migration, &bytes,
                           &execution->wishes_of_tool, err))
        return false;
    execution->script = script_without_bom(text_slice(&bytes));
    is_good = look_at_all(guard, execution, err);
    execution->script = slice_of("");
    return is_good;
}

void loss_warn_unmet(const struct loss_guard *guard)
{
    for (size_t i = 0; i < guard->allowed->count; i++) {
        if (!guard->is_met[i])
            log_warn("--allow-loss \"%s\" names nothing that these inverses lose", guard->allowed->items[i]);
    }
}

void loss_guard_begin(struct loss_guard *guard, const struct config *config,
                      const struct execution *execution)
{
    *guard = (struct loss_guard) {
        .observer = { .before = before, .after = after },
        .allowed = &config->allow_loss,
        .is_met = arena_alloc(config->arena, config->allow_loss.count, sizeof *guard->is_met),
        .to = config->to,
        .is_all = config->wants_all,
        .execution = execution,
        .keys = text_init(LIST_MOST),
        .names = text_init(LIST_MOST),
        .files = text_init(LIST_MOST),
        .types = text_init(LIST_MOST),
        .settled = text_init(LIST_MOST),
        .counted = text_init(LIST_MOST),
        .deleted = text_init(LIST_MOST),
        .updated = text_init(LIST_MOST),
    };
}

void loss_guard_end(struct loss_guard *guard)
{
    text_clear(&guard->keys);
    text_clear(&guard->names);
    text_clear(&guard->files);
    text_clear(&guard->types);
    text_clear(&guard->settled);
    text_clear(&guard->counted);
    text_clear(&guard->deleted);
    text_clear(&guard->updated);
}

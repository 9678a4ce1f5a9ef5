#include "deploy/loss.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/loss_weigh.h"
#include "history/script_file.h"
#include "postgres/query.h"

enum { LIST_MOST = 256 * 1024 * 1024, WHAT_SIZE = 64 };

#define OF_USERS                                                                                             \
    " NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')"                                         \
    " AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) 'information_schema'"                           \
    " AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[])"

/* All tables and their columns. A key is the oid and the number of the column, 0 = the table itself; and
 * those that hold something: a key is the oid and the number of the file. */
static const struct query BEFORE = {
    .name = "loss_before",
    .sql =
        "SELECT pg_catalog.array_agg(k.key)::pg_catalog.text, pg_catalog.array_agg(k.name)::pg_catalog.text,"
        " pg_catalog.array_agg(k.file)::pg_catalog.text FROM ("
        "SELECT pg_catalog.concat(c.oid, '.', a.attnum) AS key,"
        " pg_catalog.concat(n.nspname, '.', c.relname, a.attname) AS name,"
        " CASE WHEN a.attnum OPERATOR(pg_catalog.=) 0 AND pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog.>) 0"
        "  THEN pg_catalog.pg_relation_filenode(c.oid) ELSE 0 END AS file"
        " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " JOIN (SELECT attrelid, attnum, pg_catalog.concat('.', attname) AS attname FROM pg_catalog.pg_attribute"
        "   WHERE attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped"
        "  UNION ALL SELECT oid, 0, '' FROM pg_catalog.pg_class) AS a"
        "  ON a.attrelid OPERATOR(pg_catalog.=) c.oid WHERE" OF_USERS ") AS k",
};

/* Of the keys $1, whose names are $2 and files $3, those that are gone or empty now, but for $4 and for
 * columns of tables that are; and what became of each. */
static const struct query AFTER = {
    .name = "loss_after",
    .parameters = 4,
    .sql =
        "SELECT l.name, l.what FROM (SELECT b.key, b.name, CASE"
        " WHEN b.number OPERATOR(pg_catalog.>) 0 AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
        "  WHERE a.attrelid OPERATOR(pg_catalog.=) b.oid AND a.attnum OPERATOR(pg_catalog.=) b.number"
        "  AND a.attisdropped) THEN 'drops column'"
        " WHEN b.number OPERATOR(pg_catalog.=) 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c"
        "  WHERE c.oid OPERATOR(pg_catalog.=) b.oid) THEN 'drops table'"
        " WHEN b.file OPERATOR(pg_catalog.>) 0"
        "  AND pg_catalog.pg_relation_filenode(b.oid) OPERATOR(pg_catalog.<>) b.file"
        "  AND pg_catalog.pg_relation_size(b.oid) OPERATOR(pg_catalog.=) 0 THEN 'empties table' END AS what"
        " FROM (SELECT k.key, k.name, k.file, pg_catalog.split_part(k.key, '.', 1)::pg_catalog.oid AS oid,"
        "  pg_catalog.split_part(k.key, '.', 2)::pg_catalog.int2 AS number"
        "  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),"
        "   pg_catalog.unnest($3::pg_catalog.int8[])) AS k (key, name, file)) AS b) AS l"
        " WHERE l.what IS NOT NULL AND l.key OPERATOR(pg_catalog.<>) ALL ($4::pg_catalog.text[]) ORDER BY l.name",
};

/* How many rows of which tables this session has deleted: of earlier transactions, too, until it tells the
 * server's statistics, which it never does in a transaction. */
static const struct query COUNTS = {
    .name = "loss_counts",
    .sql =
        "SELECT pg_catalog.array_agg(d.oid)::pg_catalog.text, pg_catalog.array_agg(d.deleted)::pg_catalog.text"
        " FROM (SELECT c.oid, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted"
        "  FROM pg_catalog.pg_class AS c) AS d WHERE d.deleted OPERATOR(pg_catalog.>) 0",
};

/* Tables of which rows were deleted since they were $2, of the oids $1; directly or not. */
static const struct query DELETED = {
    .name = "loss_deleted",
    .parameters = 2,
    .sql =
        "SELECT d.nspname, d.relname, d.deleted, d.oid FROM (SELECT c.oid, n.nspname, c.relname,"
        "  pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) OPERATOR(pg_catalog.-) COALESCE(b.deleted, 0)"
        "   AS deleted"
        "  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "   ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        "  LEFT JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int8[]))"
        "   AS b (oid, deleted) ON b.oid OPERATOR(pg_catalog.=) c.oid WHERE" OF_USERS
        ") AS d"
        " WHERE d.deleted OPERATOR(pg_catalog.>) 0",
};

/* ---- in the inverse's transaction ---- */

static void put(struct text *list, const struct result *row, int column)
{
    text_reset(list);
    text_add_string(list, result_is_null(row, 0, column) ? "{}" : result_text(row, 0, column));
}

static bool begin(struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_result struct result *row = NULL;
    auto_result struct result *counts = NULL;

    if (!query_run(conn, &BEFORE, NULL, &row, err) || !query_run(conn, &COUNTS, NULL, &counts, err))
        return false;
    put(&guard->counted, counts, 0);
    put(&guard->deleted, counts, 1);
    put(&guard->keys, row, 0);
    put(&guard->names, row, 1);
    put(&guard->files, row, 2);
    text_reset(&guard->settled);
    text_add_string(&guard->settled, "{");
    return true;
}

static bool before(struct observer *observer, struct connection *conn, size_t statement, struct error *err)
{
    struct loss_guard *guard = (struct loss_guard *)(void *)observer;

    return (statement > 0 || begin(guard, conn, err)) && loss_weigh(guard, conn, statement, true, err);
}

static bool check_deleted(const struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!query_run(conn, &DELETED, (const char *[]) { guard->counted.at, guard->deleted.at }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        const struct victim victim = { result_text(rows, i, 0), result_text(rows, i, 1), "" };
        char what[WHAT_SIZE];

        (void)snprintf(what, sizeof what, "deletes %s row%s of table", result_text(rows, i, 2),
                       result_number(rows, i, 2) == 1 ? "" : "s");
        if (loss_is_old(guard, result_text(rows, i, 3)) && !loss_is_allowed(guard, &victim))
            return loss_refuse(guard, &victim, what, "", err);
    }
    return true;
}

/* What the text has not shown was not counted, and is gone now. */
static bool check_gone(const struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_text struct text settled = text_init(LIST_MOST);
    auto_result struct result *rows = NULL;

    text_add_format(&settled, "%s}", guard->settled.at);
    if (!query_run(conn, &AFTER,
                   (const char *[]) { guard->keys.at, guard->names.at, guard->files.at, settled.at }, &rows,
                   err))
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
            "whatever it holds: tidelock rollback --allow-loss \"%s\"",
            name);
    }
    return true;
}

static bool after(struct observer *observer, struct connection *conn, size_t statement, struct error *err)
{
    const struct loss_guard *guard = (struct loss_guard *)(void *)observer;

    return check_deleted(guard, conn, err) &&
           (statement + 1 < guard->execution->summary.statements || check_gone(guard, conn, err));
}

/* ---- before anything runs ---- */

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
    if (connection_is_lost(conn) || !query_several(conn, &end, NULL, 0, is_good ? err : &ignored))
        return false;
    return is_good || (err->class != ERROR_REFUSED && err->class != ERROR_INTERRUPTED);
}

static bool look_at_all(struct loss_guard *guard, struct execution *execution, struct error *err)
{
    const struct execution *usual = guard->execution;
    bool is_good = true;

    guard->execution = execution;
    for (size_t i = 0; i < execution->summary.statements && is_good; i++)
        is_good = look(guard, execution->conn, i, err) || execution_point_at(execution, i, err);
    guard->execution = usual;
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

void loss_guard_begin(struct loss_guard *guard, const struct names *allowed,
                      const struct execution *execution)
{
    *guard = (struct loss_guard) {
        .observer = { .before = before, .after = after },
        .allowed = allowed,
        .execution = execution,
        .keys = text_init(LIST_MOST),
        .names = text_init(LIST_MOST),
        .files = text_init(LIST_MOST),
        .settled = text_init(LIST_MOST),
        .counted = text_init(LIST_MOST),
        .deleted = text_init(LIST_MOST),
    };
}

void loss_guard_end(struct loss_guard *guard)
{
    text_clear(&guard->keys);
    text_clear(&guard->names);
    text_clear(&guard->files);
    text_clear(&guard->settled);
    text_clear(&guard->counted);
    text_clear(&guard->deleted);
}

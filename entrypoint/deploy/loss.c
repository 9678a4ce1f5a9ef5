#include "deploy/loss.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "postgres/query.h"
#include "sql/grammar.h"
#include "sql/quote.h"

/* More are not counted: whoever holds the lock is in the way of others meanwhile. */
enum {
    COUNTED_MOST = 100000,
    SQL_MOST = 16 * 1024,
    NAME_MOST = 4 * IDENTIFIER_SIZE,
    LIST_MOST = 256 * 1024 * 1024
};

/* What is lost with a table, or with a column of it. */
static const struct loss {
    enum action action;
    bool is_column;
    const char *verb;
} LOSSES[] = {
    { ACTION_DROP_TABLE, false, "drops table" },
    { ACTION_TRUNCATE, false, "empties table" },
    { ACTION_DROP_COLUMN, true, "drops column" },
};

/* The table $1, as a script writes it, and its column $2: a table that is not there has no row. */
static const struct query LOOK = {
    .name = "loss_look",
    .parameters = 2,
    .sql =
        "SELECT c.oid, n.nspname, c.relname, c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[])"
        " AND ($2::pg_catalog.text OPERATOR(pg_catalog.=) '' OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
        "  WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND NOT a.attisdropped"
        "   AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2)),"
        " pg_catalog.row_security_active(c.oid),"
        " pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) 'read committed'"
        " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)",
};

/* The table of oid $1 and its partitions, or their columns $2, as keys. */
static const struct query KEYS = {
    .name = "loss_keys",
    .parameters = 2,
    .sql = "WITH RECURSIVE " INHERITANCE_TREE("SELECT $1::pg_catalog.oid")
        " SELECT COALESCE(pg_catalog.string_agg(pg_catalog.concat(t.oid, '.', COALESCE(a.attnum, 0)), ','), '')"
        " FROM tree AS t LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) t.oid"
        "  AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2",
};

#define OF_USERS                                                                                             \
    " NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')"                                         \
    " AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) 'information_schema'"                           \
    " AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[])"

/* All tables and their columns. A key is the oid and the number of the column, 0 = the table itself. */
static const struct query BEFORE = {
    .name = "loss_before",
    .sql =
        "SELECT pg_catalog.array_agg(k.key)::pg_catalog.text, pg_catalog.array_agg(k.name)::pg_catalog.text FROM ("
        "SELECT pg_catalog.concat(c.oid, '.', a.attnum) AS key,"
        " pg_catalog.concat(n.nspname, '.', c.relname, '.', a.attname) AS name"
        " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " JOIN (SELECT attrelid, attnum, attname FROM pg_catalog.pg_attribute"
        "   WHERE attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped"
        "  UNION ALL SELECT oid, 0, '' FROM pg_catalog.pg_class) AS a"
        "  ON a.attrelid OPERATOR(pg_catalog.=) c.oid WHERE" OF_USERS ") AS k",
};

/* Of the keys $1, whose names are $2, those that are gone, but for $3 and for columns of tables that are. */
static const struct query GONE = {
    .name = "loss_gone",
    .parameters = 3,
    .sql =
        "SELECT b.name, b.number OPERATOR(pg_catalog.>) 0 FROM (SELECT k.key, k.name,"
        "  pg_catalog.split_part(k.key, '.', 1)::pg_catalog.oid AS oid,"
        "  pg_catalog.split_part(k.key, '.', 2)::pg_catalog.int2 AS number"
        "  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))"
        "   AS k (key, name)) AS b"
        " WHERE CASE WHEN b.number OPERATOR(pg_catalog.=) 0 THEN NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c"
        "   WHERE c.oid OPERATOR(pg_catalog.=) b.oid)"
        "  ELSE EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) b.oid"
        "   AND a.attnum OPERATOR(pg_catalog.=) b.number AND a.attisdropped) END"
        " AND b.key OPERATOR(pg_catalog.<>) ALL ($3::pg_catalog.text[])",
};

/* Tables of which this transaction has deleted rows, directly or not. */
static const struct query DELETED = {
    .name = "loss_deleted",
    .sql =
        "SELECT n.nspname, c.relname, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)"
        " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) OPERATOR(pg_catalog.>) 0 AND" OF_USERS,
};

/* Something that would be lost. */
struct victim {
    const char *schema;
    const char *table;
    const char *column; /* "" = the table's rows */
};

static bool is_named(const struct names *allowed, const char *name)
{
    for (size_t i = 0; i < allowed->count; i++) {
        if (strcmp(allowed->items[i], name) == 0)
            return true;
    }
    return false;
}

/* "table", "schema.table"; the same with a column. */
static void add_name(const struct victim *victim, bool is_full, struct text *out)
{
    text_add_format(out, "%s%s%s%s%s", is_full ? victim->schema : "", is_full ? "." : "", victim->table,
                    victim->column[0] == '\0' ? "" : ".", victim->column);
}

static bool is_allowed(const struct loss_guard *guard, const struct victim *victim)
{
    auto_text struct text brief = text_init(NAME_MOST);
    auto_text struct text full = text_init(NAME_MOST);

    add_name(victim, false, &brief);
    add_name(victim, true, &full);
    return is_named(guard->allowed, brief.at) || is_named(guard->allowed, full.at);
}

/* `what` is "drops column", `lost` is "holds 3 values". */
static bool refuse(const struct loss_guard *guard, const struct victim *victim, const char *what,
                   const char *lost, struct error *err)
{
    auto_text struct text name = text_init(NAME_MOST);

    add_name(victim, strcmp(victim->schema, guard->execution->ledger->schema) != 0, &name);
    error_set(err, ERROR_REFUSED, "the inverse of migration \"%s\" %s \"%s\"%s",
              guard->execution->migration->name, what, name.at, lost);
    return error_hint(
        err,
        "Keep them elsewhere first, or go forward: write a migration that undoes this one. To lose "
        "them: tidelock rollback --allow-loss %s",
        name.at);
}

/* ---- before a statement ---- */

static bool begin(struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_result struct result *row = NULL;

    if (!query_run(conn, &BEFORE, NULL, &row, err))
        return false;
    text_reset(&guard->keys);
    text_reset(&guard->names);
    text_reset(&guard->settled);
    text_add_string(&guard->keys, result_is_null(row, 0, 0) ? "{}" : result_text(row, 0, 0));
    text_add_string(&guard->names, result_is_null(row, 0, 1) ? "{}" : result_text(row, 0, 1));
    text_add_string(&guard->settled, "{");
    return true;
}

static bool settle(struct loss_guard *guard, struct connection *conn, const char *oid, const char *column,
                   struct error *err)
{
    auto_result struct result *row = NULL;

    if (!query_run(conn, &KEYS, (const char *[]) { oid, column }, &row, err))
        return false;
    text_add_format(&guard->settled, "%s%s", guard->settled.length > 1 ? "," : "", result_text(row, 0, 0));
    return true;
}

/* From here on nobody adds any; as the statement itself would, it waits for those who use the table. */
static bool lock_and_count(struct connection *conn, const char *name, const char *column, int64_t *count,
                           struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *row = NULL;

    text_add_format(&sql, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE; ", name);
    text_add_format(&sql, "SELECT pg_catalog.count(*) FROM (SELECT FROM %s", name);
    if (column[0] != '\0') {
        text_add_string(&sql, " WHERE ");
        quote_identifier(column, &sql);
        text_add_string(&sql, " IS NOT NULL");
    }
    text_add_format(&sql, " LIMIT %d) AS s", COUNTED_MOST + 1);
    if (!query_several(conn, &(const struct query) { .name = "loss_count", .sql = sql.at }, &row, 1, err))
        return false;
    *count = result_number(row, 0, 0);
    return true;
}

static bool refuse_count(const struct loss_guard *guard, const struct victim *victim, const struct loss *loss,
                         int64_t count, struct error *err)
{
    char lost[64];

    (void)snprintf(lost, sizeof lost, ", which holds %s%lld %s%s", count > COUNTED_MOST ? "more than " : "",
                   (long long)(count > COUNTED_MOST ? COUNTED_MOST : count),
                   loss->is_column ? "value" : "row", count == 1 ? "" : "s");
    return refuse(guard, victim, loss->verb, lost, err);
}

static bool weigh(struct loss_guard *guard, struct connection *conn, const struct change *change,
                  const struct loss *loss, struct error *err)
{
    auto_text struct text name = text_init(NAME_MOST);
    auto_result struct result *row = NULL;
    const char *column = loss->is_column ? change->object : "";
    struct victim victim = { .column = column };
    int64_t count;

    quote_qualified(change->table.schema, change->table.name, &name);
    if (!query_run(conn, &LOOK, (const char *[]) { name.at, column }, &row, err))
        return false;
    if (result_rows(row) == 0 || !result_bool(row, 0, 3))
        return true;
    victim.schema = result_text(row, 0, 1);
    victim.table = result_text(row, 0, 2);
    if (!settle(guard, conn, result_text(row, 0, 0), column, err))
        return false;
    if (is_allowed(guard, &victim))
        return true;
    if (result_bool(row, 0, 4))
        return refuse(guard, &victim, loss->verb, ", whose rows row security hides from this role", err);
    if (!result_bool(row, 0, 5))
        return refuse(guard, &victim, loss->verb,
                      ", whose rows cannot be counted: the transaction is not READ COMMITTED", err);
    return lock_and_count(conn, name.at, column, &count, err) &&
           (count == 0 || refuse_count(guard, &victim, loss, count, err));
}

static bool weigh_changes(struct loss_guard *guard, struct connection *conn, const struct changes *changes,
                          struct error *err)
{
    for (size_t i = 0; i < changes->count; i++) {
        for (size_t j = 0; j < array_length(LOSSES); j++) {
            if (changes->items[i].action == LOSSES[j].action &&
                !weigh(guard, conn, &changes->items[i], &LOSSES[j], err))
                return false;
        }
    }
    return true;
}

/* The text of statement `number` of the script. */
static struct slice statement_of(const struct execution *execution, size_t number)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement = { .start = 0 };
    struct error ignored;

    do {
        if (script_next(&reader, &statement, &ignored) != SCRIPT_STATEMENT)
            return slice_of("");
    } while (number-- > 0);
    return execution_text(execution, &statement);
}

static bool before(struct observer *observer, struct connection *conn, size_t statement, struct error *err)
{
    struct loss_guard *guard = (struct loss_guard *)(void *)observer;
    auto_changes struct changes changes = { .count = 0 };

    if (statement == 0 && !begin(guard, conn, err))
        return false;
    return !grammar_read(statement_of(guard->execution, statement), &changes) ||
           weigh_changes(guard, conn, &changes, err);
}

/* ---- after it ---- */

static bool check_deleted(const struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!query_run(conn, &DELETED, NULL, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        const struct victim victim = { result_text(rows, i, 0), result_text(rows, i, 1), "" };
        char what[64];

        (void)snprintf(what, sizeof what, "deletes %s row%s of table", result_text(rows, i, 2),
                       result_number(rows, i, 2) == 1 ? "" : "s");
        if (!is_allowed(guard, &victim))
            return refuse(guard, &victim, what, "", err);
    }
    return true;
}

/* Its full name is all that is known of it, and the shortest one that can be allowed. */
static bool check_gone(const struct loss_guard *guard, struct connection *conn, struct error *err)
{
    auto_text struct text settled = text_init(LIST_MOST);
    auto_result struct result *rows = NULL;

    text_add_format(&settled, "%s}", guard->settled.at);
    if (!query_run(conn, &GONE, (const char *[]) { guard->keys.at, guard->names.at, settled.at }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        const char *name = result_text(rows, i, 0);

        if (is_named(guard->allowed, name))
            continue;
        error_set(err, ERROR_REFUSED,
                  "the inverse of migration \"%s\" also drops %s \"%s\", which its text does not show",
                  guard->execution->migration->name, result_bool(rows, i, 1) ? "column" : "table", name);
        return error_hint(
            err,
            "Drop it with a statement of its own, so that what it holds is counted. To lose that: tidelock "
            "rollback --allow-loss %s",
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

void loss_guard_begin(struct loss_guard *guard, const struct names *allowed,
                      const struct execution *execution)
{
    *guard = (struct loss_guard) {
        .observer = { .before = before, .after = after },
        .allowed = allowed,
        .execution = execution,
        .keys = text_init(LIST_MOST),
        .names = text_init(LIST_MOST),
        .settled = text_init(LIST_MOST),
    };
}

void loss_guard_end(struct loss_guard *guard)
{
    text_clear(&guard->keys);
    text_clear(&guard->names);
    text_clear(&guard->settled);
}

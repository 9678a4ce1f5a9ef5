#include "backfill/plan.h"

#include <string.h>

#include "postgres/query.h"
#include "sql/quote.h"

enum { LARGE_PAGES = 1000 };

/* Whether the tables $1 and $2 are the same, whether it exists, and how many rows and pages it has, with its
 * partitions and children. */
static const struct query TABLE = {
    .name = "backfill_table",
    .parameters = 2,
    .sql =
        "WITH RECURSIVE " INHERITANCE_TREE("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid") " "
        "SELECT pg_catalog.to_regclass($1) OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2),"
        "       pg_catalog.to_regclass($1) IS NOT NULL,"
        "       pg_catalog.sum(GREATEST(c.reltuples, 0))::pg_catalog.int8, pg_catalog.sum(c.relpages)"
        "  FROM pg_catalog.pg_class AS c"
        "  JOIN tree AS t ON t.oid OPERATOR(pg_catalog.=) c.oid"
        " WHERE c.relkind OPERATOR(pg_catalog.<>) 'p'",
};

bool backfill_plan_refuse(const struct execution *execution, const struct backfill_plan *plan,
                          struct error *err)
{
    execution_point(execution, plan->start, err);
    error_code(err, execution->ledger->dialect->codes.failed);
    return error_message(err, "migration \"%s\" was not started: %s", execution->migration->name,
                         err->message);
}

void backfill_plan_free(struct backfill_plan *plan)
{
    text_clear(&plan->table);
    key_columns_free(&plan->key);
}

/* A backfill's script has exactly one statement. */
static bool read_statement(struct execution *execution, struct backfill_plan *plan, struct error *err)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    bool has_standard_strings = execution->ledger->has_standard_strings;

    if (script_next(&reader, &statement, err) != SCRIPT_STATEMENT)
        return false;
    plan->start = statement.start;
    plan->sql = execution_text(execution, &statement);
    if (!update_statement_parse(plan->sql, has_standard_strings, &plan->update, err))
        return backfill_plan_refuse(execution, plan, err);
    plan->is_repeatable = update_statement_is_repeatable(plan->sql, has_standard_strings, &plan->update);
    return true;
}

/* Checks that directive and statement name the same table, and estimates its size. */
static bool read_table(struct execution *execution, struct backfill_plan *plan, struct error *err)
{
    const struct backfill_wish *wish = &execution->directives.backfill;
    auto_text struct text said = text_init(QUALIFIED_NAME_SIZE);
    auto_result struct result *result = NULL;

    quote_qualified(plan->update.schema, plan->update.table, &plan->table);
    quote_qualified(wish->schema, wish->table, &said);
    const char *const parameters[] = { plan->table.at, said.at };
    if (!query_run(execution->conn, &TABLE, parameters, &result, err))
        return false;
    if (!result_bool(result, 0, 1)) {
        error_set(err, ERROR_CLEAN, "the table %s does not exist", plan->table.at);
        return backfill_plan_refuse(execution, plan, err);
    }
    if (!result_bool(result, 0, 0)) {
        error_set(err, ERROR_CLEAN, "the directive says backfill %s, but the statement updates %s", said.at,
                  plan->table.at);
        return backfill_plan_refuse(execution, plan, err);
    }
    plan->estimated = (double)result_number(result, 0, 2);
    plan->is_large = result_number(result, 0, 3) >= LARGE_PAGES;
    return true;
}

static bool is_set_by(const struct update_statement *update, const char *column)
{
    for (size_t i = 0; i < update->column_count; i++) {
        if (strcmp(update->columns[i], column) == 0)
            return true;
    }
    return false;
}

/* Why the primary key cannot be used, if there is one: with WITHOUT OVERLAPS (version 18) its index is GiST,
 * which has no order. */
static const struct query PRIMARY_KEY = {
    .name = "backfill_primary_key",
    .parameters = 1,
    .sql =
        "SELECT CASE WHEN m.amname OPERATOR(pg_catalog.<>) 'btree' THEN 'its primary key is temporal (WITHOUT OVERLAPS), so its index"
        " is not a btree' ELSE 'its primary key has more than 4 columns' END"
        "  FROM pg_catalog.pg_index AS i"
        "  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
        "  JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.relam"
        " WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) AND i.indisprimary",
};

static bool refuse_key(const struct execution *execution, const struct backfill_plan *plan, struct error *err)
{
    auto_result struct result *row = NULL;
    const char *const parameters[] = { plan->table.at };
    const char *why = "it has neither a primary key nor another unique key without nulls";

    if (!query_run(execution->conn, &PRIMARY_KEY, parameters, &row, err))
        return false;
    if (result_rows(row) > 0)
        why = result_text(row, 0, 0);
    if (execution->directives.backfill.key_count == 0)
        error_set(err, ERROR_CLEAN, "no index of %s can be used to go through it row by row: %s",
                  plan->table.at, why);
    else
        error_set(err, ERROR_CLEAN, "no index of %s can be used to go through it by that key",
                  plan->table.at);
    error_hint(
        err,
        "The key must be the first columns of a btree index, all of them NOT NULL: name them with key=, "
        "or create the index in a migration before this one.");
    return backfill_plan_refuse(execution, plan, err);
}

/* $1 is the table, $2 a column: those from which the server generates it, whose names are as in the catalog.
 * The dependency is recorded for the column up to version 14, for its expression after that. */
static const struct query SOURCES = {
    .name = "backfill_sources",
    .parameters = 2,
    .sql =
        "SELECT s.attname FROM pg_catalog.pg_attribute AS a"
        "  LEFT JOIN pg_catalog.pg_attrdef AS e ON e.adrelid OPERATOR(pg_catalog.=) a.attrelid"
        "   AND e.adnum OPERATOR(pg_catalog.=) a.attnum"
        "  JOIN pg_catalog.pg_depend AS d"
        "    ON (d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
        "        AND d.objid OPERATOR(pg_catalog.=) a.attrelid"
        "        AND d.objsubid OPERATOR(pg_catalog.=) a.attnum)"
        "    OR (d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass"
        "        AND d.objid OPERATOR(pg_catalog.=) e.oid)"
        "  JOIN pg_catalog.pg_attribute AS s ON s.attrelid OPERATOR(pg_catalog.=) d.refobjid"
        "   AND s.attnum OPERATOR(pg_catalog.=) d.refobjsubid"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
        "   AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) $2"
        "   AND a.attgenerated OPERATOR(pg_catalog.<>) ''"
        "   AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
        "   AND d.refobjid OPERATOR(pg_catalog.=) a.attrelid",
};

static bool refuse_moving(const struct execution *execution, const struct backfill_plan *plan,
                          const char *column, const char *key, struct error *err)
{
    if (strcmp(column, key) == 0)
        error_set(err, ERROR_CLEAN, "the statement changes \"%s\", which is part of its key", key);
    else
        error_set(err, ERROR_CLEAN,
                  "the statement changes \"%s\", from which \"%s\" is generated, and that is part of its key",
                  column, key);
    error_hint(err, "Name a key that keeps its values: key=…");
    return backfill_plan_refuse(execution, plan, err);
}

/* What it sets must not move a row along the key. What a trigger does is seen in each batch. */
static bool check_key_stays(struct execution *execution, const struct backfill_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->key.count; i++) {
        const char *key = plan->key.list[i].name;
        const char *const parameters[] = { plan->table.at, key };
        auto_result struct result *sources = NULL;

        if (is_set_by(&plan->update, key))
            return refuse_moving(execution, plan, key, key, err);
        if (!query_run(execution->conn, &SOURCES, parameters, &sources, err))
            return false;
        for (int row = 0; row < result_rows(sources); row++) {
            if (is_set_by(&plan->update, result_text(sources, row, 0)))
                return refuse_moving(execution, plan, result_text(sources, row, 0), key, err);
        }
    }
    return true;
}

static bool read_key(struct execution *execution, struct backfill_plan *plan, struct error *err)
{
    if (!key_columns_read(execution->conn, plan->table.at, &execution->directives.backfill, &plan->key, err))
        return false;
    return plan->key.count > 0 ? check_key_stays(execution, plan, err) : refuse_key(execution, plan, err);
}

/* Errors in the statement itself are best reported for the original text. */
static bool check_statement(struct execution *execution, const struct backfill_plan *plan, struct error *err)
{
    static const char EXPLAIN[] = "EXPLAIN ";
    auto_text struct text sql = text_init(BACKFILL_SQL_MOST);
    struct query query = { .name = "explain" };

    text_add_format(&sql, "%s%.*s", EXPLAIN, (int)plan->sql.length, plan->sql.at);
    query.sql = sql.at;
    if (query_run(execution->conn, &query, NULL, NULL, err))
        return true;
    err->contexts = 0;
    if (err->position > strlen(EXPLAIN))
        err->position -= strlen(EXPLAIN);
    return execution_failed_at(execution, plan->start, 0, 0, err);
}

bool backfill_plan_make(struct execution *execution, struct backfill_plan *out, struct error *err)
{
    *out = (struct backfill_plan) { .table = text_init(QUALIFIED_NAME_SIZE),
                                    .key = { .identity = text_init(BACKFILL_SQL_MOST) } };
    return read_statement(execution, out, err) && check_statement(execution, out, err) &&
           read_table(execution, out, err) && read_key(execution, out, err);
}

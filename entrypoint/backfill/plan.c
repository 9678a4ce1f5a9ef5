#include "backfill/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "postgres/query.h"
#include "sql/quote.h"

enum { LARGE_PAGES = 1000 };

/* The columns of the best index for the walk: of table $1, beginning with the columns $2 or, if that is null,
 * a unique one, preferably the primary key. None of them may be null. With several columns, all must be in
 * ascending order, as in a row comparison, which has one operator for all of them. The operators are those by
 * which the index is sorted, wherever the search_path would find others; in which order rows come is the
 * business of the type's default operator class. */
static const struct query KEY = {
    .name = "backfill_key",
    .parameters = 2,
    .sql =
        "WITH indexes AS ("
        "  SELECT i.indexrelid, i.indrelid, i.indkey, i.indoption, i.indclass, i.indnkeyatts, i.indisprimary,"
        "         i.indisunique, COALESCE(pg_catalog.cardinality($2::pg_catalog.text[]), i.indnkeyatts)"
        " AS length"
        "    FROM pg_catalog.pg_index AS i"
        "    JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
        "    JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.relam"
        "   WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
        "     AND m.amname OPERATOR(pg_catalog.=) 'btree' AND i.indisvalid"
        "     AND i.indpred IS NULL AND i.indexprs IS NULL AND ($2 IS NOT NULL OR i.indisunique)"
        "), operators (class, strategy, operator) AS ("
        "  SELECT x.oid, p.amopstrategy,"
        "         pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)"
        "    FROM pg_catalog.pg_opclass AS x"
        "    JOIN pg_catalog.pg_amop AS p ON p.amopfamily OPERATOR(pg_catalog.=) x.opcfamily"
        "     AND p.amoplefttype OPERATOR(pg_catalog.=) x.opcintype"
        "     AND p.amoprighttype OPERATOR(pg_catalog.=) x.opcintype"
        "    JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) p.amopopr"
        "    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace"
        "   WHERE EXISTS (SELECT FROM pg_catalog.pg_opclass AS d"
        "                  WHERE d.opcfamily OPERATOR(pg_catalog.=) x.opcfamily"
        "                    AND d.opcintype OPERATOR(pg_catalog.=) x.opcintype AND d.opcdefault)"
        "), best AS ("
        "  SELECT i.*, n.* FROM indexes AS i, LATERAL ("
        "    SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k) AS names,"
        "           pg_catalog.bool_and(a.attnotnull AND (i.length OPERATOR(pg_catalog.=) 1"
        "             OR i.indoption[k OPERATOR(pg_catalog.-) 1] OPERATOR(pg_catalog.=) 0))"
        "           AND pg_catalog.count(g.operator) OPERATOR(pg_catalog.=) i.length"
        "           AND pg_catalog.min(g.operator) OPERATOR(pg_catalog.=) pg_catalog.max(g.operator)"
        "           AND pg_catalog.min(l.operator) OPERATOR(pg_catalog.=) pg_catalog.max(l.operator) AS"
        " is_fit,"
        "           pg_catalog.min(g.operator) AS greater, pg_catalog.min(l.operator) AS at_most"
        "      FROM pg_catalog.generate_series(1, i.length) AS k"
        "      JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid"
        "       AND a.attnum OPERATOR(pg_catalog.=) i.indkey[k OPERATOR(pg_catalog.-) 1]"
        "      LEFT JOIN operators AS g ON g.strategy OPERATOR(pg_catalog.=) 5"
        "       AND g.class OPERATOR(pg_catalog.=) i.indclass[k OPERATOR(pg_catalog.-) 1]"
        "      LEFT JOIN operators AS l ON l.strategy OPERATOR(pg_catalog.=) 2"
        "       AND l.class OPERATOR(pg_catalog.=) i.indclass[k OPERATOR(pg_catalog.-) 1]"
        "  ) AS n"
        "   WHERE i.length OPERATOR(pg_catalog.<=) LEAST(i.indnkeyatts, 4) AND n.is_fit"
        "     AND ($2 IS NULL OR n.names OPERATOR(pg_catalog.=) $2::pg_catalog.text[])"
        "   ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indnkeyatts, i.indexrelid LIMIT 1"
        ") "
        "SELECT a.attname, a.atttypid OPERATOR(pg_catalog.=) ANY (ARRAY['pg_catalog.int2', 'pg_catalog.int4',"
        "       'pg_catalog.int8', 'pg_catalog.numeric', 'pg_catalog.float4', 'pg_catalog.float8']"
        "       ::pg_catalog.regtype[]::pg_catalog.oid[]), best.greater, best.at_most"
        "  FROM best, pg_catalog.generate_series(1, best.length) AS k"
        "  JOIN pg_catalog.pg_attribute AS a ON true"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) best.indrelid"
        "   AND a.attname OPERATOR(pg_catalog.=) best.names[k] AND NOT a.attisdropped"
        " ORDER BY k",
};

/* Whether the tables $1 and $2 are the same, whether it exists, and how many rows and pages it has. */
static const struct query TABLE = {
    .name = "backfill_table",
    .parameters = 2,
    .sql =
        "SELECT pg_catalog.to_regclass($1) OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2),"
        " pg_catalog.to_regclass($1) IS "
        "NOT NULL,"
        "       pg_catalog.sum(GREATEST(c.reltuples, 0))::bigint, pg_catalog.sum(c.relpages)"
        "  FROM pg_catalog.pg_class AS c"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)"
        "    OR c.oid OPERATOR(pg_catalog.=) ANY (SELECT p.relid"
        " FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) AS p"
        "                  WHERE p.isleaf)",
};

static bool refuse(const struct execution *execution, const struct backfill_plan *plan, struct error *err)
{
    execution_point(execution, plan->start, err);
    error_code(err, execution->ledger->dialect->codes.failed);
    return error_message(err, "migration \"%s\" was not started: %s", execution->migration->name,
                         err->message);
}

void backfill_plan_free(struct backfill_plan *plan)
{
    text_clear(&plan->table);
    text_clear(&plan->columns);
    text_clear(&plan->qualified);
    text_clear(&plan->listed);
    text_clear(&plan->order);
    text_clear(&plan->descending);
}

void backfill_key_free(struct backfill_key *key)
{
    if (key->is_known) {
        text_clear(&key->array);
        text_clear(&key->literal);
    }
    key->is_known = false;
}

/* A backfill's script has exactly one statement. */
static bool read_statement(struct execution *execution, struct backfill_plan *plan, struct error *err)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;

    if (script_next(&reader, &statement, err) != SCRIPT_STATEMENT)
        return false;
    plan->start = statement.start;
    plan->sql = execution_text(execution, &statement);
    return update_statement_parse(plan->sql, &plan->update, err) || refuse(execution, plan, err);
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
        return refuse(execution, plan, err);
    }
    if (!result_bool(result, 0, 0)) {
        error_set(err, ERROR_CLEAN, "the directive says backfill %s, but the statement updates %s", said.at,
                  plan->table.at);
        return refuse(execution, plan, err);
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

static void add_column(struct backfill_plan *plan, const char *name, size_t number)
{
    const char *comma = number == 0 ? "" : ", ";

    text_add_string(&plan->order, comma);
    quote_qualified(BACKFILL_ALIAS, name, &plan->order);
    text_add_string(&plan->descending, comma);
    quote_qualified(BACKFILL_ALIAS, name, &plan->descending);
    text_add_string(&plan->descending, " DESC");
    text_add_string(&plan->columns, comma);
    quote_qualified(BACKFILL_ALIAS, name, &plan->columns);
    text_add_string(&plan->qualified, comma);
    quote_qualified(plan->update.alias, name, &plan->qualified);
}

/* The result columns for a key: the array, and each part. */
static void add_listed(struct backfill_plan *plan, const struct result *columns)
{
    text_add_string(&plan->listed, "ARRAY[");
    for (int row = 0; row < result_rows(columns); row++) {
        text_add_string(&plan->listed, row == 0 ? "" : ", ");
        quote_qualified(BACKFILL_ALIAS, result_text(columns, row, 0), &plan->listed);
        text_add_string(&plan->listed, "::pg_catalog.text");
    }
    text_add_string(&plan->listed, "]::pg_catalog.text");
    for (int row = 0; row < BACKFILL_KEYS_MOST; row++) {
        text_add_string(&plan->listed, ", ");
        if (row < result_rows(columns))
            quote_qualified(BACKFILL_ALIAS, result_text(columns, row, 0), &plan->listed);
        else
            text_add_string(&plan->listed, "NULL");
        text_add_string(&plan->listed, "::pg_catalog.text");
    }
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
        "The key must be the first columns of a btree index, all of them NOT NULL and compared by the same "
        "operators: name them with key=, "
        "or create the index in a migration before this one.");
    return refuse(execution, plan, err);
}

/* The columns that the directive names, as an array: quoted identifiers are quoted in the same way there,
 * except for doubled quotes. */
static void add_wanted(const struct backfill_wish *wish, struct text *out)
{
    text_add_string(out, "{");
    for (size_t i = 0; i < wish->key_count; i++) {
        text_add_string(out, i == 0 ? "\"" : ",\"");
        for (const char *at = wish->keys[i]; *at != '\0'; at++)
            text_add_format(out, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
        text_add_string(out, "\"");
    }
    text_add_string(out, "}");
}

static bool add_columns(struct execution *execution, struct backfill_plan *plan, const struct result *columns,
                        struct error *err)
{
    const char *opening = plan->key_count > 1 ? "(" : "";
    const char *closing = plan->key_count > 1 ? ")" : "";

    text_add_string(&plan->columns, opening);
    text_add_string(&plan->qualified, opening);
    for (int row = 0; row < result_rows(columns); row++) {
        const char *name = result_text(columns, row, 0);

        if (is_set_by(&plan->update, name)) {
            error_set(err, ERROR_CLEAN, "the statement changes \"%s\", which is part of its key", name);
            return refuse(execution, plan, err);
        }
        add_column(plan, name, (size_t)row);
    }
    text_add_string(&plan->columns, closing);
    text_add_string(&plan->qualified, closing);
    return true;
}

static bool read_key(struct execution *execution, struct backfill_plan *plan, struct error *err)
{
    const struct backfill_wish *wish = &execution->directives.backfill;
    auto_text struct text wanted = text_init(QUALIFIED_NAME_SIZE * BACKFILL_KEYS_MOST);
    auto_result struct result *columns = NULL;

    add_wanted(wish, &wanted);
    const char *const parameters[] = { plan->table.at, wish->key_count == 0 ? NULL : wanted.at };
    if (!query_run(execution->conn, &KEY, parameters, &columns, err))
        return false;
    if (result_rows(columns) == 0)
        return refuse_key(execution, plan, err);
    plan->key_count = (size_t)result_rows(columns);
    plan->is_number = plan->key_count == 1 && result_bool(columns, 0, 1);
    text_copy_cut(plan->first_column, sizeof plan->first_column, result_text(columns, 0, 0));
    text_copy_cut(plan->greater, sizeof plan->greater, result_text(columns, 0, 2));
    text_copy_cut(plan->at_most, sizeof plan->at_most, result_text(columns, 0, 3));
    if (!add_columns(execution, plan, columns, err))
        return false;
    add_listed(plan, columns);
    return true;
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
                                    .columns = text_init(BACKFILL_SQL_MOST),
                                    .qualified = text_init(BACKFILL_SQL_MOST),
                                    .listed = text_init(BACKFILL_SQL_MOST),
                                    .order = text_init(BACKFILL_SQL_MOST),
                                    .descending = text_init(BACKFILL_SQL_MOST) };
    return read_statement(execution, out, err) && check_statement(execution, out, err) &&
           read_table(execution, out, err) && read_key(execution, out, err);
}

void backfill_key_take(const struct backfill_plan *plan, const struct result *result, int row, int column,
                       struct backfill_key *key)
{
    backfill_key_free(key);
    if (result_is_null(result, row, column))
        return;
    *key = (struct backfill_key) { .is_known = true,
                                   .array = text_init(BACKFILL_SQL_MOST),
                                   .literal = text_init(BACKFILL_SQL_MOST),
                                   .number = strtod(result_text(result, row, column + 1), NULL) };
    text_add_string(&key->array, result_text(result, row, column));
    if (plan->key_count > 1)
        text_add_string(&key->literal, "(");
    for (size_t i = 0; i < plan->key_count; i++) {
        text_add_string(&key->literal, i == 0 ? "" : ", ");
        quote_literal(result_text(result, row, column + 1 + (int)i), &key->literal);
    }
    if (plan->key_count > 1)
        text_add_string(&key->literal, ")");
}

void backfill_key_copy(const struct backfill_key *from, struct backfill_key *to)
{
    backfill_key_free(to);
    *to = (struct backfill_key) { .is_known = true,
                                  .array = text_init(BACKFILL_SQL_MOST),
                                  .literal = text_init(BACKFILL_SQL_MOST),
                                  .number = from->number };
    text_add_string(&to->array, from->array.at);
    text_add_string(&to->literal, from->literal.at);
}

void backfill_range_add(const struct backfill_plan *plan, const struct text *columns,
                        const struct backfill_key *done, const struct backfill_key *until, struct text *out)
{
    text_add_string(out, "(");
    if (done->is_known)
        text_add_format(out, "%s %s %s AND ", columns->at, plan->greater, done->literal.at);
    text_add_format(out, "%s %s %s)", columns->at, plan->at_most, until->literal.at);
}

/* Whether a line of a plan reads the whole table, or a whole partition, whose alias is derived from the
 * table's. */
static bool is_whole_scan(const char *line, const struct backfill_plan *plan)
{
    static const char SCAN[] = "Seq Scan on ";
    const char *at = strstr(line, SCAN);
    const char *alias;

    if (at == NULL)
        return false;
    at += strlen(SCAN);
    alias = strchr(at, ' ');
    alias = alias == NULL ? at : alias + 1;
    return strncmp(alias, plan->update.alias, strlen(plan->update.alias)) == 0 ||
           (alias[0] == '"' && strncmp(alias + 1, plan->update.alias, strlen(plan->update.alias)) == 0);
}

bool backfill_plan_check(struct execution *execution, const struct backfill_plan *plan,
                         const struct backfill_key *done, const struct backfill_key *until, struct error *err)
{
    auto_text struct text sql = text_init(BACKFILL_SQL_MOST);
    auto_text struct text range = text_init(BACKFILL_SQL_MOST);
    auto_result struct result *lines = NULL;
    bool has_condition = false;
    bool is_whole = false;
    bool is_asked;

    backfill_range_add(plan, &plan->qualified, done, until, &range);
    text_add_string(&sql, "BEGIN READ ONLY;");
    if (!plan->is_large)
        text_add_string(&sql, "SET LOCAL enable_seqscan = off;");
    text_add_string(&sql, "EXPLAIN (COSTS OFF) ");
    update_statement_add(plan->sql, &plan->update, range.at, &sql);
    is_asked = query_several(execution->conn, &(const struct query) { .name = "explain", .sql = sql.at },
                             &lines, 1, err);
    execution_roll_back_own(execution->conn);
    if (!is_asked)
        return false;
    for (int row = 0; row < result_rows(lines); row++) {
        const char *condition = strstr(result_text(lines, row, 0), "Index Cond: ");

        has_condition |= condition != NULL && strstr(condition, plan->first_column) != NULL;
        is_whole |= is_whole_scan(result_text(lines, row, 0), plan);
    }
    if (has_condition && !is_whole)
        return true;
    error_set(err, ERROR_CLEAN, "the server would read all of %s for each batch", plan->table.at);
    error_detail(err, "Its plan: %s", result_rows(lines) > 1 ? result_text(lines, 1, 0) : "");
    error_hint(err, "ANALYZE the table, or name a column that has an index of its own: key=…");
    return refuse(execution, plan, err);
}

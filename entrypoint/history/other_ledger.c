#include "history/other_ledger.h"

#include <string.h>

#include "dialect/known_ledger.h"
#include "history/guard.h"
#include "history/shape.h"
#include "sql/quote.h"

enum { SQL_MOST = 16 * 1024, COUNT_RESULTS = 3 };

/* The rows of a plain table: counting them runs nobody's code. Somebody may hold a lock on it. */
#define COUNT_QUERY                                                                                          \
    "SELECT pg_catalog.set_config('lock_timeout', '1s', true);"                                              \
    "SELECT 1 OPERATOR(pg_catalog./) (c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relrowsecurity)"        \
    "::pg_catalog.int4 FROM pg_catalog.pg_class AS c"                                                        \
    " WHERE c.oid OPERATOR(pg_catalog.=) {literal}::pg_catalog.regclass;"

static bool count_rows(struct connection *conn, const struct table_look *look, size_t *rows)
{
    auto_text struct text table = text_init(SQL_MOST);
    auto_text struct text literal = text_init(SQL_MOST);
    auto_text struct text sql = text_init(SQL_MOST);
    struct result *results[COUNT_RESULTS] = { NULL };
    struct error ignored;
    bool is_known;

    quote_qualified(look->schema, look->table, &table);
    quote_literal(table.at, &literal);
    text_add_filled(&sql, COUNT_QUERY, "{literal}", literal.at);
    text_add_format(&sql, "SELECT pg_catalog.count(*) FROM ONLY %s", table.at);
    is_known = query_several(conn, &(const struct query) { .name = "other_ledger_rows", .sql = sql.at },
                             results, COUNT_RESULTS, &ignored) &&
               results[COUNT_RESULTS - 1] != NULL;
    if (is_known)
        *rows = (size_t)result_number(results[COUNT_RESULTS - 1], 0, 0);
    for (int i = 0; i < COUNT_RESULTS; i++)
        result_free(results[i]);
    return is_known;
}

static void add_rows(struct connection *conn, const struct table_look *look, struct text *out)
{
    size_t rows;

    if (count_rows(conn, look, &rows))
        text_add_format(out, "%zu row%s", rows, text_plural(rows));
}

/* One that was made and never used, as by a deployment with the wrong --format, is nobody's. */
static bool is_unused(struct connection *conn, const struct known_ledger *known,
                      const struct table_look *look)
{
    size_t rows;

    return known->format != FORMAT_AUTO && count_rows(conn, look, &rows) && rows <= known->own_rows;
}

/* Without their types: "version, dirty". */
static void add_columns(const char *columns, struct text *out)
{
    for (const char *at = columns; *at != '\0';) {
        size_t length = strcspn(at, ":");

        text_add_format(out, "%s%.*s", at == columns ? "" : ", ", (int)length, at);
        at += length;
        at += strcspn(at, " ");
        at += *at == ' ';
    }
}

/* What can be done with the migrations of a tool. */
static void add_remedy(const struct known_ledger *other, struct text *out)
{
    if (other->programs != NULL)
        text_add_format(out, "Only %s can apply its own migrations: they are programs in %s.", other->tool,
                        other->programs);
    else if (other->format == FORMAT_AUTO)
        text_add_format(out, "The migrations of %s can't be applied here.", other->tool);
    else
        text_add_format(out, "If the folder is one of %s: --format %s.", other->tool,
                        FORMAT_NAMES[other->format]);
}

bool other_ledger_check_shape(struct connection *conn, const struct dialect *dialect,
                              const struct result *guarded, struct error *err)
{
    const struct table_look look = shape_of(guarded, 0, GUARD_COLUMNS);
    auto_text struct text remedy = text_init(sizeof err->hint);
    auto_text struct text columns = text_init(sizeof err->detail);
    auto_text struct text rows = text_init(sizeof err->detail);
    const struct known_ledger *other;

    if (known_ledger_fits_format(dialect->format, &look))
        return true;
    other = known_ledger_find(&look);
    error_set(err, ERROR_REFUSED, "the table %s.%s is not a ledger of %s%s%s", look.schema, look.table,
              dialect->tool, other == NULL ? "" : ", but one of ", other == NULL ? "" : other->tool);
    error_cause(err, CAUSE_UNRELATED);
    if (other != NULL)
        add_remedy(other, &remedy);
    add_rows(conn, &look, &rows);
    add_columns(look.columns, &columns);
    error_detail(err, "It has the columns %s%s%s.", columns.at, rows.length == 0 ? "" : ", and ", rows.at);
    error_holds(err, "Nothing was changed.");
    return error_hint(err,
                      "%s%sTo keep a ledger of %s elsewhere: --ledger NAME, or ?schema=NAME in the database "
                      "URL.",
                      remedy.at, remedy.length == 0 ? "" : " ", dialect->tool);
}

/* Tables of the names $1 in schema $2 or in one of $3. */
static const struct query OTHER_LEDGERS = {
    .name = "other_ledgers",
    .parameters = 3,
    .sql = "SELECT " SHAPE_OF_TABLE
           " FROM pg_catalog.pg_class AS c"
           " JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace"
           " WHERE c.relname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])"
           "   AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v}'::pg_catalog.\"char\"[])"
           "   AND (s.nspname OPERATOR(pg_catalog.=) $2"
           "    OR s.nspname OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.text[]))"
           " ORDER BY s.nspname OPERATOR(pg_catalog.<>) $2, c.relname",
};

static void add_element(struct text *array, const char *element)
{
    text_add_format(array, "%s%s", array->length == 1 ? "" : ",", element);
}

/* The first ledger of another tool in the rows that has been used. */
static const struct known_ledger *first_other(struct connection *conn, const struct ledger *ledger,
                                              const struct result *tables, struct table_look *out)
{
    for (int i = 0; i < result_rows(tables); i++) {
        const struct table_look look = shape_of(tables, i, 0);
        const struct known_ledger *known = known_ledger_find(&look);

        if (known == NULL || known->format == ledger->dialect->format ||
            (known->schema == NULL && strcmp(look.schema, ledger->default_schema) != 0) ||
            is_unused(conn, known, &look))
            continue;
        *out = look;
        return known;
    }
    return NULL;
}

/* What was found; `known` is NULL if that is nothing. What it is called lives in the rows. */
struct other {
    const struct known_ledger *known;
    struct table_look look;
};

/* Schemas of a tool's own belong to the database's default schema. */
static bool find(struct connection *conn, const struct ledger *ledger, struct result **tables,
                 struct other *out, struct error *err)
{
    auto_text struct text names = text_init(SQL_MOST);
    auto_text struct text schemas = text_init(SQL_MOST);
    const char *parameters[3];

    text_add_string(&names, "{");
    text_add_string(&schemas, "{");
    for (const struct known_ledger *known = KNOWN_LEDGERS; known->tool != NULL; known++) {
        add_element(&names, known->table);
        if (known->schema != NULL && !ledger->is_schema_given)
            add_element(&schemas, known->schema);
    }
    text_add_string(&names, "}");
    text_add_string(&schemas, "}");
    parameters[0] = names.at;
    parameters[1] = ledger->default_schema;
    parameters[2] = schemas.at;
    if (!query_run(conn, &OTHER_LEDGERS, parameters, tables, err))
        return false;
    out->known = first_other(conn, ledger, *tables, &out->look);
    return true;
}

bool other_ledger_check(struct connection *conn, const struct ledger *ledger, struct error *err)
{
    const char *tool = ledger->dialect->tool;
    auto_result struct result *tables = NULL;
    auto_text struct text remedy = text_init(sizeof err->hint);
    auto_text struct text rows = text_init(sizeof err->detail);
    const struct known_ledger *other;
    struct table_look look;
    struct other found = { .known = NULL };

    if (!find(conn, ledger, &tables, &found, err))
        return false;
    other = found.known;
    look = found.look;
    if (other == NULL)
        return true;
    error_set(err, ERROR_REFUSED, "the database has no ledger of %s, but one of %s: %s.%s", tool, other->tool,
              look.schema, look.table);
    error_cause(err, CAUSE_UNRELATED);
    add_rows(conn, &look, &rows);
    add_remedy(other, &remedy);
    if (rows.length > 0)
        error_detail(err, "It has %s.", rows.at);
    error_holds(err, "Nothing was changed.");
    return error_hint(
        err,
        "%s If %s takes over from it: tidelock baseline --to NAME, with the last migration that "
        "the schema holds. If the two share the schema: --allow-unrelated.",
        remedy.at, tool);
}

void other_ledger_add(struct connection *conn, const struct ledger *ledger, struct text *out)
{
    auto_result struct result *tables = NULL;
    auto_text struct text rows = text_init(SQL_MOST);
    const struct known_ledger *other;
    struct table_look look;
    struct other found = { .known = NULL };
    struct error ignored;

    if (!find(conn, ledger, &tables, &found, &ignored) || found.known == NULL)
        return;
    other = found.known;
    look = found.look;
    add_rows(conn, &look, &rows);
    text_add_format(out, "%s.%s is a ledger of %s%s%s%s. ", look.schema, look.table, other->tool,
                    rows.length == 0 ? "" : " (", rows.at, rows.length == 0 ? "" : ")");
    add_remedy(other, out);
}

/* Table $1 in schema $2, or, if that is null, as the session finds it. By its name in the catalog: a function
 * that looks it up would fail where the role may not use the schema. */
static const struct query TABLE_SHAPE = {
    .name = "table_shape",
    .parameters = 2,
    .sql = "SELECT " SHAPE_OF_TABLE
           " FROM pg_catalog.pg_class AS c"
           " JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace"
           " WHERE c.relname OPERATOR(pg_catalog.=) $1 AND (s.nspname OPERATOR(pg_catalog.=) $2"
           "    OR $2 IS NULL AND pg_catalog.pg_table_is_visible(c.oid))",
};

bool other_ledger_find_own(struct connection *conn, const struct dialect *dialect, const char *schema,
                           bool *has_ledger, struct error *err)
{
    const char *fixed = dialect->ledger_schema;
    const char *const parameters[] = { dialect->ledger_name, fixed != NULL ? fixed : schema };
    auto_result struct result *found = NULL;
    struct table_look look;

    if (!query_run(conn, &TABLE_SHAPE, parameters, &found, err))
        return false;
    *has_ledger = result_rows(found) > 0;
    if (!*has_ledger)
        return true;
    look = shape_of(found, 0, 0);
    *has_ledger = known_ledger_fits_format(dialect->format, &look);
    return true;
}

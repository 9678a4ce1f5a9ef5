#include "execution/presence.h"

#include <stdint.h>

#include "base/memory.h"
#include "base/text.h"
#include "postgres/query.h"
#include "sql/creation.h"
#include "sql/persisted.h"
#include "sql/quote.h"

enum { SQL_MOST = 1024 * 1024, CREATIONS_MOST = 1000, BY_NAME = CREATION_KINDS };

/* Adds the condition that a column has the type that is written there, if the server knows it: "serial" is
 * none, and a type of the script's search_path may not be found. How long a varchar is, is not compared. */
static void add_type(const struct creation *creation, struct text *sql)
{
    auto_free char *written = memory_copy(creation->type.at, creation->type.length);
    auto_text struct text literal = text_init(SQL_MOST);

    if (creation->type.length == 0)
        return;
    quote_literal(written, &literal);
    text_add_format(sql,
                    " AND (pg_catalog.to_regtype(%s) IS NULL"
                    " OR a.atttypid OPERATOR(pg_catalog.=) pg_catalog.to_regtype(%s)::pg_catalog.oid)",
                    literal.at, literal.at);
}

static bool is_by_name(const struct creation *creation, bool is_lenient)
{
    return is_lenient && (creation->kind == CREATION_COLUMN || creation->schema[0] == '\0') &&
           creation->kind != CREATION_SCHEMA && creation->kind != CREATION_EXTENSION;
}

/* What is looked for, and how strictly. */
struct search {
    const char *schema;
    size_t statements; /* of the first so many */
    bool is_lenient;
};

/* Adds a query that tells whether the object exists. Unqualified names belong where the ledger is: the
 * session's search_path may have been set for the script alone. */
static void add_exists(const struct creation *creation, const struct search *search, struct text *sql)
{
    static const char *const lookups[] = {
        [CREATION_RELATION] = "SELECT pg_catalog.to_regclass({name}) IS NOT NULL",
        [CREATION_COLUMN] =
            "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS a"
            " JOIN (VALUES ({name})) AS v (relation, name)"
            "   ON a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(v.relation)"
            "  AND a.attname OPERATOR(pg_catalog.=) v.name WHERE NOT a.attisdropped{type})",
        [CREATION_TYPE] = "SELECT pg_catalog.to_regtype({name}) IS NOT NULL",
        [CREATION_SCHEMA] = "SELECT pg_catalog.to_regnamespace({name}) IS NOT NULL",
        [CREATION_EXTENSION] =
            "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e"
            " WHERE e.extname OPERATOR(pg_catalog.=)"
            " ANY (pg_catalog.parse_ident({name})))",
        /* By name alone, in any schema where none is said: the script may have set a search_path, an index is
         * where its table is, and columns may have got another type since. */
        [BY_NAME + CREATION_RELATION] =
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c"
            " WHERE c.relname OPERATOR(pg_catalog.=) {name})",
        [BY_NAME + CREATION_COLUMN] =
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
            " WHERE a.attname OPERATOR(pg_catalog.=) {name} AND NOT a.attisdropped)",
        [BY_NAME + CREATION_TYPE] =
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_type AS t"
            " WHERE t.typname OPERATOR(pg_catalog.=) {name})",
    };
    const bool is_plain = is_by_name(creation, search->is_lenient);
    bool is_global = creation->kind == CREATION_SCHEMA || creation->kind == CREATION_EXTENSION;
    const char *place = creation->schema[0] == '\0' ? search->schema : creation->schema;
    auto_text struct text name = text_init(QUALIFIED_NAME_SIZE);
    auto_text struct text literals = text_init(4 * QUALIFIED_NAME_SIZE);
    auto_text struct text lookup = text_init(8 * QUALIFIED_NAME_SIZE);
    auto_text struct text type = text_init(SQL_MOST);

    quote_qualified(is_global ? "" : place, creation->name, &name);
    if (is_plain)
        quote_literal(creation->kind == CREATION_COLUMN ? creation->column : creation->name, &literals);
    else
        quote_literal(name.at, &literals);
    if (creation->kind == CREATION_COLUMN && !is_plain) {
        text_add_string(&literals, ", ");
        quote_literal(creation->column, &literals);
    }
    text_add_filled(&lookup, lookups[creation->kind + (is_plain ? BY_NAME : 0)], "{name}", literals.at);
    add_type(creation, &type);
    text_add_filled(sql, lookup.at, "{type}", type.at);
}

/* Adds a row: what people call it, and whether it exists. */
static void add_creation(const struct creation *creation, const struct search *search, size_t number,
                         struct text *sql)
{
    bool is_column = creation->kind == CREATION_COLUMN;
    auto_text struct text name = text_init(QUALIFIED_NAME_SIZE + PRESENCE_NAME_SIZE);

    quote_qualified(is_column ? creation->name : "", is_column ? creation->column : creation->name, &name);
    if (creation->type.length > 0)
        text_add_format(&name, " as %.*s", (int)creation->type.length, creation->type.at);
    text_add_format(sql, " UNION ALL SELECT %zu, ", number);
    quote_literal(name.at, sql);
    text_add_string(sql, "::pg_catalog.text, (");
    add_exists(creation, search, sql);
    text_add_string(sql, ")");
}

/* Adds a row for each object that the script creates, and, unless that is lenient, for each column of a
 * table. What ends with the session is not looked for then. */
static void add_creations(const struct execution *execution, const struct search *search,
                          struct presence *out, struct text *sql)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    struct error ignored;

    for (size_t i = 0; i < search->statements && out->count < CREATIONS_MOST &&
                       script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT;
         i++) {
        struct creation creation;
        struct creation column;

        if ((search->is_lenient && statement_ends_with_session(execution->script, &statement)) ||
            !creation_parse(execution_text(execution, &statement), &creation))
            continue;
        out->has_columns |= creation.kind == CREATION_COLUMN || creation.has_columns;
        add_creation(&creation, search, out->count++, sql);
        while (!search->is_lenient && creation_next_column(&creation, &column))
            add_creation(&column, search, out->count++, sql);
    }
}

static bool find(const struct execution *execution, const struct search *search, struct presence *out)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *row = NULL;
    struct query query = { .name = "creations" };
    struct error ignored;

    *out = (struct presence) { .count = 0 };
    text_add_string(&sql,
                    "SELECT pg_catalog.count(*) FILTER (WHERE o.is_there),"
                    " (pg_catalog.array_agg(o.name ORDER BY o.n) FILTER (WHERE NOT o.is_there))[1]"
                    "  FROM (SELECT 0 AS n, ''::pg_catalog.text AS name, false AS is_there WHERE false");
    add_creations(execution, search, out, &sql);
    text_add_string(&sql, ") AS o");
    query.sql = sql.at;
    if (out->count == 0 || sql.has_overflowed || !query_run(execution->conn, &query, NULL, &row, &ignored))
        return false;
    out->there = (size_t)result_number(row, 0, 0);
    text_copy_cut(out->absent, sizeof out->absent, result_text(row, 0, 1));
    return true;
}

bool presence_find(const struct execution *execution, struct presence *out)
{
    return find(execution, &(const struct search) { execution->ledger->default_schema, SIZE_MAX, false },
                out);
}

bool presence_find_first(const struct execution *execution, size_t statements, struct presence *out)
{
    return find(execution, &(const struct search) { execution->ledger->default_schema, statements, true },
                out);
}

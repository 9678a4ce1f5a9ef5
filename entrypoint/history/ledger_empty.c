#include <string.h>

#include "history/ledger.h"
#include "history/other_ledger.h"
#include "sql/quote.h"

/* The tables in the schema; PostGIS' own do not count (Prisma ignores them, too). The ledger ($3) appears
 * here only if this role cannot see it by name. */
static const struct query SCHEMA_TABLES = {
    .name = "schema_tables",
    .parameters = 3,
    .sql =
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c"
        "  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE c.relkind OPERATOR(pg_catalog.=) 'r' AND (n.nspname OPERATOR(pg_catalog.=) $1"
        " OR n.nspname OPERATOR(pg_catalog.=) $2)"
        "   AND pg_catalog.lower(c.relname) OPERATOR(pg_catalog.<>) ALL ('{spatial_ref_sys,geometry_columns,"
        "geography_columns,raster_columns,raster_overviews}'::pg_catalog.text[])"
        " ORDER BY c.relname OPERATOR(pg_catalog.<>) $3, n.nspname OPERATOR(pg_catalog.<>) $1, c.relname"
        " LIMIT 5",
};

static bool refuse_not_empty(struct connection *conn, const struct ledger *ledger,
                             const struct result *tables, struct error *err)
{
    auto_text struct text names = text_init(1024);
    auto_text struct text other = text_init(sizeof err->detail);

    for (int i = 0; i < result_rows(tables); i++)
        text_add_format(&names, "%s%s.%s", i == 0 ? "" : ", ", result_text(tables, i, 0),
                        result_text(tables, i, 1));
    error_set(err, ERROR_REFUSED, "the schema is not empty and has no ledger");
    error_cause(err, CAUSE_NO_LEDGER);
    error_code(err, ledger->dialect->codes.not_empty);
    other_ledger_add(conn, ledger, &other);
    if (other.length > 0)
        error_detail(err, "%s", other.at);
    error_holds(err, "It contains %s%s. Nothing was changed.", names.at,
                result_rows(tables) == 5 ? ", …" : "");
    return error_hint(
        err,
        "If this folder's migrations made these tables, record them: tidelock baseline, if the schema holds all "
        "of them; if it holds the first ones only, tidelock baseline --to NAME, with the last of these. "
        "If its ledger has another name: --ledger. Otherwise, point the URL at an empty database or schema.");
}

static bool refuse_hidden(const struct ledger *ledger, const char *schema, struct error *err)
{
    auto_text struct text grant = text_init(sizeof err->hint);

    text_add_string(&grant, "GRANT USAGE ON SCHEMA ");
    quote_identifier(schema, &grant);
    text_add_string(&grant, " TO ");
    quote_identifier(ledger->role, &grant);
    error_set(err, ERROR_DENIED, "this role cannot see the ledger \"%s\".%s", schema,
              ledger->dialect->ledger_name);
    return error_hint(
        err,
        "As its owner or a superuser: %s; then name it in the role's search_path or in the URL (?schema=%s).",
        grant.at, schema);
}

bool ledger_check_empty(struct connection *conn, const struct ledger *ledger, struct error *err)
{
    auto_result struct result *tables = NULL;
    const char *ledger_name = ledger->dialect->ledger_name;
    const char *const parameters[] = { ledger->default_schema,
                                       ledger->is_schema_given ? ledger->default_schema : "public",
                                       ledger_name };

    if (!query_run(conn, &SCHEMA_TABLES, parameters, &tables, err))
        return false;
    if (result_rows(tables) == 0)
        return true;
    if (strcmp(result_text(tables, 0, 1), ledger_name) == 0) {
        return refuse_hidden(ledger, result_text(tables, 0, 0), err);
    }
    return refuse_not_empty(conn, ledger, tables, err);
}

static const struct query SCHEMA_IS_THERE = {
    .name = "schema_is_there",
    .parameters = 1,
    .sql = "SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) $1",
};

bool ledger_check_schema(struct connection *conn, const struct ledger *ledger, const char *schema,
                         struct error *err)
{
    auto_result struct result *found = NULL;

    if (schema == NULL || ledger->exists)
        return true;
    if (!query_run(conn, &SCHEMA_IS_THERE, &schema, &found, err))
        return false;
    if (result_rows(found) > 0)
        return true;
    error_set(err, ERROR_USAGE, "schema \"%s\" does not exist", schema);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Correct the list, or let it be created: tidelock deploy --create.");
}

#define IN_SCHEMA(oid)                                                                                       \
    " EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.oid OPERATOR(pg_catalog.=) " oid              \
    " AND (n.nspname OPERATOR(pg_catalog.=) $1 OR n.nspname OPERATOR(pg_catalog.=) $2))"
#define OF_NO_EXTENSION(class, oid)                                                                          \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d"                                                 \
    "  WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog." class                                            \
        "'::pg_catalog.regclass"                                                                             \
        "    AND d.objid OPERATOR(pg_catalog.=) " oid " AND d.deptype OPERATOR(pg_catalog.=) 'e')"

/* The sequence of a column of the ledger. */
#define OF_LEDGER(sequence, ledger)                                                                          \
    "(" sequence                                                                                             \
    ".relkind OPERATOR(pg_catalog.=) 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d"                  \
    " JOIN pg_catalog.pg_class AS l ON l.oid OPERATOR(pg_catalog.=) d.refobjid"                              \
    " WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"                     \
    "   AND d.objid OPERATOR(pg_catalog.=) " sequence                                                        \
    ".oid"                                                                                                   \
    "   AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"                  \
    "   AND d.deptype OPERATOR(pg_catalog.=) ANY ('{a,i}'::pg_catalog.\"char\"[])"                           \
    "   AND l.relname OPERATOR(pg_catalog.=) " ledger "))"

/* Tables have types of their own, and so have arrays: only other types count. */
static const struct query SCHEMA_IS_EMPTY = {
    .name = "schema_is_empty",
    .parameters = 3,
    .sql =
        "SELECT NOT (EXISTS (SELECT FROM pg_catalog.pg_class AS c"
        "  WHERE" IN_SCHEMA("c.relnamespace") OF_NO_EXTENSION("pg_class", "c.oid")
        "    AND c.relname OPERATOR(pg_catalog.<>) $3 AND c.relkind OPERATOR(pg_catalog.<>) 'i'"
        "    AND NOT " OF_LEDGER("c", "$3") ")"
        " OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p"
        "  WHERE" IN_SCHEMA("p.pronamespace") OF_NO_EXTENSION("pg_proc", "p.oid") ")"
        " OR EXISTS (SELECT FROM pg_catalog.pg_type AS t"
        "  WHERE" IN_SCHEMA("t.typnamespace") OF_NO_EXTENSION("pg_type", "t.oid")
        "    AND t.typrelid OPERATOR(pg_catalog.=) 0 AND t.typelem OPERATOR(pg_catalog.=) 0))",
};

struct batch_item ledger_empty_item(const struct ledger *ledger, const char *parameters[3])
{
    parameters[0] = ledger->default_schema;
    parameters[1] = ledger->is_schema_given ? ledger->default_schema : "public";
    parameters[2] = ledger->dialect->ledger_name;
    return (struct batch_item) { .query = &SCHEMA_IS_EMPTY, .parameters = parameters };
}

bool ledger_find_empty(struct connection *conn, const struct ledger *ledger, bool *is_empty,
                       struct error *err)
{
    auto_result struct result *result = NULL;
    const char *parameters[3];
    struct batch_item item = ledger_empty_item(ledger, parameters);

    if (!query_run(conn, item.query, item.parameters, &result, err))
        return false;
    *is_empty = result_bool(result, 0, 0);
    return true;
}

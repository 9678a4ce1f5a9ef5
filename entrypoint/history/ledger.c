#include "history/ledger.h"

#include <string.h>

#include "base/log.h"
#include "history/guard.h"
#include "postgres/advisory.h"
#include "postgres/denial.h"
#include "sql/quote.h"

enum { QUERY_MOST = 16 * 1024, LEDGER_RESULTS = 3 };

/* Where the ledger is and what the session is like. {literal} is the ledger's name as a literal, qualified
 * when the URL names the schema. */
#define SESSION_QUERY                                                                                                        \
    "SELECT pg_catalog.current_database(), pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on'," \
    " pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.=) 'on',"                                \
    " COALESCE((SELECT n.nspname FROM pg_catalog.pg_class AS c"                                                              \
    "            JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"                           \
    "           WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({literal})), pg_catalog.current_schema()),"        \
    " pg_catalog.pg_backend_pid(), CURRENT_USER;"

/* The text with the table's name in it. */
static void add_sql(const char *sql, const char *table, struct text *out)
{
    text_add_filled(out, sql, "{ledger}", table);
}

static const char *qualified(struct arena *arena, const struct dialect *dialect, const char *schema)
{
    auto_text struct text name = text_init(QUERY_MOST);

    if (schema != NULL) {
        quote_identifier(schema, &name);
        text_add_string(&name, ".");
    }
    text_add_string(&name, dialect->ledger_name);
    return arena_copy(arena, name.at, name.length);
}

static char *copy_value(struct arena *arena, const struct result *result, int row, int column)
{
    const char *value = result_text(result, row, column);

    if (result_is_null(result, row, column))
        return NULL;
    return arena_copy(arena, value, strlen(value));
}

static void read_rows(struct arena *arena, const struct result *result, struct ledger *out)
{
    int rows = result_rows(result);

    out->rows = arena_alloc(arena, (size_t)rows, sizeof *out->rows);
    out->count = (size_t)rows;
    out->size = (struct ledger_size) { .rows = out->count };
    for (int i = 0; i < rows; i++) {
        out->rows[i] = (struct ledger_row) {
            .name = copy_value(arena, result, i, COLUMN_NAME),
            .is_finished = result_bool(result, i, COLUMN_FINISHED),
            .is_rolled_back = result_bool(result, i, COLUMN_ROLLED_BACK),
            .checksum = copy_value(arena, result, i, COLUMN_CHECKSUM),
            .id = copy_value(arena, result, i, COLUMN_ID),
            .started_at = copy_value(arena, result, i, COLUMN_STARTED),
            .steps = result_number(result, i, COLUMN_STEPS),
            .logs = copy_value(arena, result, i, COLUMN_LOGS),
            .finished_at = copy_value(arena, result, i, COLUMN_FINISHED_AT),
            .took_ms = result_number(result, i, COLUMN_TOOK),
        };
        if (out->rows[i].is_finished && out->rows[i].id != NULL &&
            strlen(out->rows[i].id) < sizeof out->anchor)
            text_copy_cut(out->anchor, sizeof out->anchor, out->rows[i].id);
        out->size.finished += out->rows[i].is_finished;
        out->size.rolled_back += out->rows[i].is_rolled_back;
    }
}

static void read_session(struct arena *arena, const struct result *result, const char *schema,
                         struct ledger *out)
{
    out->database = copy_value(arena, result, 0, 0);
    out->is_read_only = result_bool(result, 0, 1);
    out->has_standard_strings = result_bool(result, 0, 2);
    out->backend_pid = (int)result_number(result, 0, 4);
    out->role = copy_value(arena, result, 0, 5);
    out->schema = schema != NULL ? schema : copy_value(arena, result, 0, 3);
}

static bool refuse_no_schema(struct error *err)
{
    error_set(err, ERROR_USAGE, "the session has no current schema: no schema in its search_path exists");
    return error_hint(err, "Add ?schema=NAME to the database URL, or set the role's search_path.");
}

static struct query prepare(struct arena *arena, const struct ledger *ledger,
                            const struct ledger_write *write)
{
    auto_text struct text sql = text_init(QUERY_MOST);

    add_sql(write->sql, ledger->table, &sql);
    return (struct query) { .name = write->name,
                            .sql = arena_copy(arena, sql.at, sql.length),
                            .parameters = write->count };
}

/* Prepares the queries for writing, once the schema is known. */
static void prepare_queries(struct arena *arena, struct ledger *out)
{
    const struct ledger_sql *sql = out->dialect->ledger;
    const struct ledger_write row = { .name = "ledger_row", .sql = sql->row, .count = 2 };

    out->table = qualified(arena, out->dialect, out->schema);
    for (int i = 0; i < LEDGER_STATEMENTS; i++)
        out->queries[i] = prepare(arena, out, &sql->writes[i]);
    for (int i = CHECK_NONE + 1; i < LEDGER_CHECKS; i++)
        out->checks[i] = prepare(arena, out, &sql->checks[i]);
    out->row = prepare(arena, out, &row);
}

static bool is_missing(const struct error *err)
{
    return strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0;
}

static bool explain_read_failure(struct connection *conn, const struct dialect *dialect,
                                 const struct guard *guard, struct error *err)
{
    denial_explain(conn, "SELECT", err);
    if (strcmp(err->sqlstate, "42703") != 0 && strcmp(err->sqlstate, "42883") != 0)
        return guard_explain(conn, guard, err);
    /* A table of that name that the tool could not read, either. */
    err->class = ERROR_REFUSED;
    error_detail(err, "The table %s exists, but does not have the columns of %s's ledger.", guard->table,
                 dialect->tool);
    return error_hint(err, "Compare it with the ledger of a working database (\\d %s in psql).",
                      guard->table);
}

/* Asks about the session, the table's owner and whatever `sql` asks of the table, in one round trip. */
static bool ask(struct connection *conn, const struct guard *guard, const struct query *query,
                struct result *results[LEDGER_RESULTS], struct error *err)
{
    auto_text struct text sql = text_init(QUERY_MOST);
    auto_text struct text literal = text_init(QUERY_MOST);

    quote_literal(guard->table, &literal);
    text_add_filled(&sql, SESSION_QUERY, "{literal}", literal.at);
    guard_add(guard, &sql);
    add_sql(query->sql, guard->table, &sql);
    if (!query_several(conn, &(const struct query) { .name = query->name, .sql = sql.at }, results,
                       LEDGER_RESULTS, err))
        return false;
    if (results[LEDGER_RESULTS - 1] != NULL)
        return true;
    error_set(err, ERROR_LOST, "the server answered only part of what was asked about the ledger");
    return error_code(err, "P1017");
}

static struct guard guard_of(struct arena *arena, const struct ledger_request *wanted, enum guard_use use)
{
    return (struct guard) { .table = qualified(arena, wanted->dialect, wanted->schema),
                            .is_schema_given = wanted->schema != NULL,
                            .is_only_read = wanted->is_only_read,
                            .use = use };
}

/* What is known before it is read. */
static struct ledger ledger_of(const struct ledger_request *wanted)
{
    return (struct ledger) { .dialect = wanted->dialect,
                             .lock_key = wanted->dialect->lock_key,
                             .is_schema_given = wanted->schema != NULL };
}

static const char *rows_text(const struct ledger_request *wanted)
{
    const struct ledger_sql *texts = wanted->dialect->ledger;

    switch (wanted->depth) {
    case LEDGER_DETAILS:
        return texts->details;
    case LEDGER_CHECKSUMS:
        return texts->checksums;
    default:
        return texts->names;
    }
}

bool ledger_read(struct arena *arena, struct connection *conn, const struct ledger_request *wanted,
                 struct ledger *out, struct error *err)
{
    auto_result struct result *session = NULL;
    auto_result struct result *rows = NULL;
    const struct guard guard = guard_of(arena, wanted, wanted->is_only_read ? GUARD_READ : GUARD_WRITE);
    const struct query query = { .name = "ledger_read", .sql = rows_text(wanted) };
    struct result *results[LEDGER_RESULTS];
    bool is_read = ask(conn, &guard, &query, results, err);

    session = results[0];
    result_free(results[1]);
    rows = results[2];
    *out = ledger_of(wanted);
    out->exists = is_read;
    if (!is_read && (session == NULL || !is_missing(err)))
        return explain_read_failure(conn, wanted->dialect, &guard, err);
    read_session(arena, session, wanted->schema, out);
    if (out->schema == NULL)
        return refuse_no_schema(err);
    if (is_read)
        read_rows(arena, rows, out);
    prepare_queries(arena, out);
    return true;
}

static void free_results(struct result *results[LEDGER_RESULTS])
{
    for (int i = 0; i < LEDGER_RESULTS; i++)
        result_free(results[i]);
}

bool ledger_glance(struct arena *arena, struct connection *conn, const struct ledger_request *wanted,
                   struct ledger *out, struct error *err)
{
    const struct query query = { .name = "ledger_glance", .sql = rows_text(wanted) };
    struct guard guard = guard_of(arena, wanted, GUARD_GLANCE);
    struct result *results[LEDGER_RESULTS];
    bool is_read = ask(conn, &guard, &query, results, err);

    if (!is_read && strcmp(err->sqlstate, "42501") == 0) {
        free_results(results);
        guard.use = GUARD_READ;
        is_read = ask(conn, &guard, &query, results, err);
    }
    *out = ledger_of(wanted);
    out->exists = is_read;
    if (results[0] != NULL)
        read_session(arena, results[0], wanted->schema, out);
    if (is_read)
        read_rows(arena, results[LEDGER_RESULTS - 1], out);
    free_results(results);
    return is_read || is_missing(err) || explain_read_failure(conn, wanted->dialect, &guard, err);
}

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

static bool refuse_not_empty(const struct dialect *dialect, const struct result *tables, struct error *err)
{
    auto_text struct text names = text_init(1024);

    for (int i = 0; i < result_rows(tables); i++)
        text_add_format(&names, "%s%s.%s", i == 0 ? "" : ", ", result_text(tables, i, 0),
                        result_text(tables, i, 1));
    error_set(err, ERROR_REFUSED, "the schema is not empty and has no ledger");
    error_cause(err, CAUSE_NO_LEDGER);
    error_code(err, dialect->codes.not_empty);
    error_holds(err, "It contains %s%s. Nothing was changed.", names.at,
                result_rows(tables) == 5 ? ", …" : "");
    return error_hint(
        err,
        "If this folder's migrations made these tables, record them: tidelock baseline, if the schema holds all "
        "of them; if it holds the first ones only, tidelock baseline --to NAME, with the last of these. "
        "Otherwise, point the URL at an empty database or schema.");
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
    const char *const parameters[] = { ledger->schema, ledger->is_schema_given ? ledger->schema : "public",
                                       ledger_name };

    if (!query_run(conn, &SCHEMA_TABLES, parameters, &tables, err))
        return false;
    if (result_rows(tables) == 0)
        return true;
    if (strcmp(result_text(tables, 0, 1), ledger_name) == 0) {
        return refuse_hidden(ledger, result_text(tables, 0, 0), err);
    }
    return refuse_not_empty(ledger->dialect, tables, err);
}

#define IN_SCHEMA(oid)                                                                                       \
    " EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.oid OPERATOR(pg_catalog.=) " oid              \
    " AND (n.nspname OPERATOR(pg_catalog.=) $1 OR n.nspname OPERATOR(pg_catalog.=) $2))"
#define OF_NO_EXTENSION(class, oid)                                                                          \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d"                                                 \
    "  WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog." class                                            \
        "'::pg_catalog.regclass"                                                                             \
        "    AND d.objid OPERATOR(pg_catalog.=) " oid " AND d.deptype OPERATOR(pg_catalog.=) 'e')"

/* Tables have types of their own, and so have arrays: only other types count. */
static const struct query SCHEMA_IS_EMPTY = {
    .name = "schema_is_empty",
    .parameters = 3,
    .sql =
        "SELECT NOT (EXISTS (SELECT FROM pg_catalog.pg_class AS c"
        "  WHERE" IN_SCHEMA("c.relnamespace") OF_NO_EXTENSION("pg_class", "c.oid")
        "    AND c.relname OPERATOR(pg_catalog.<>) $3 AND c.relkind OPERATOR(pg_catalog.<>) 'i')"
        " OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p"
        "  WHERE" IN_SCHEMA("p.pronamespace") OF_NO_EXTENSION("pg_proc", "p.oid") ")"
        " OR EXISTS (SELECT FROM pg_catalog.pg_type AS t"
        "  WHERE" IN_SCHEMA("t.typnamespace") OF_NO_EXTENSION("pg_type", "t.oid")
        "    AND t.typrelid OPERATOR(pg_catalog.=) 0 AND t.typelem OPERATOR(pg_catalog.=) 0))",
};

bool ledger_find_empty(struct connection *conn, const struct ledger *ledger, bool *is_empty,
                       struct error *err)
{
    auto_result struct result *result = NULL;
    const char *const parameters[] = { ledger->schema, ledger->is_schema_given ? ledger->schema : "public",
                                       ledger->dialect->ledger_name };

    if (!query_run(conn, &SCHEMA_IS_EMPTY, parameters, &result, err))
        return false;
    *is_empty = result_bool(result, 0, 0);
    return true;
}

static const struct query SCHEMA_EXISTS = {
    .name = "schema_exists",
    .parameters = 1,
    .sql = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $1",
};

/* IF NOT EXISTS would require CREATE on the database even if the schema exists. */
static bool add_schema(struct connection *conn, const struct ledger *ledger, struct text *sql,
                       struct error *err)
{
    auto_result struct result *found = NULL;
    const char *const parameters[] = { ledger->schema };

    if (!query_run(conn, &SCHEMA_EXISTS, parameters, &found, err))
        return false;
    if (result_rows(found) > 0)
        return true;
    text_add_string(sql, "CREATE SCHEMA ");
    quote_identifier(ledger->schema, sql);
    text_add_string(sql, ";");
    return true;
}

bool ledger_create(struct connection *conn, const struct ledger *ledger, bool is_baseline, struct error *err)
{
    auto_text struct text sql = text_init(QUERY_MOST);

    if (!is_baseline && !ledger_check_empty(conn, ledger, err))
        return false;
    text_add_string(&sql, "SELECT 1 OPERATOR(pg_catalog./) (");
    advisory_add_try(ledger->lock_key, false, &sql);
    text_add_string(&sql, ")::pg_catalog.int4;");
    if (!add_schema(conn, ledger, &sql, err))
        return false;
    add_sql(ledger->dialect->ledger->create, ledger->table, &sql);
    if (!query_several(conn, &(const struct query) { .name = "ledger_create", .sql = sql.at }, NULL, 0,
                       err)) {
        if (strcmp(err->sqlstate, "22012") == 0)
            advisory_lost(err);
        else
            denial_explain(conn, sql.at, err);
        return error_context(err, "creating the ledger %s", ledger->table);
    }
    log_debug("created the ledger %s", ledger->table);
    return true;
}

void ledger_add_unchanged(const struct ledger *ledger, struct text *sql)
{
    text_add_format(sql,
                    "SELECT s.rows OPERATOR(pg_catalog.=) %zu AND s.finished OPERATOR(pg_catalog.=) %zu"
                    " AND s.rolled_back OPERATOR(pg_catalog.=) %zu FROM (",
                    ledger->size.rows, ledger->size.finished, ledger->size.rolled_back);
    add_sql(ledger->dialect->ledger->size, ledger->table, sql);
    text_add_string(sql, ") AS s");
}

void ledger_add_lock(const struct ledger *ledger, struct text *sql)
{
    text_add_format(sql, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE;", ledger->table);
}

bool ledger_exists(struct connection *conn, const struct ledger *ledger, bool *exists, struct error *err)
{
    static const struct query query = { .name = "ledger_exists",
                                        .parameters = 1,
                                        .sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL" };
    const char *const parameters[] = { ledger->table };
    auto_result struct result *result = NULL;

    if (!query_run(conn, &query, parameters, &result, err))
        return false;
    *exists = result_bool(result, 0, 0);
    return true;
}

bool ledger_row_is_resumable(const struct ledger_row *row)
{
    return row->logs != NULL && slice_starts_with(slice_of(row->logs), LEDGER_OURS);
}

bool ledger_row_is_interrupted(const struct ledger_row *row)
{
    return row->logs == NULL || strcmp(row->logs, LEDGER_RUNNING) == 0 ||
           slice_starts_with(slice_of(row->logs), LEDGER_INTERRUPTED);
}

const char *ledger_row_reason(const struct ledger_row *row)
{
    static const char *const marks[] = { LEDGER_INTERRUPTED, LEDGER_OURS };

    if (row->logs == NULL || row->logs[0] == '\0' || strcmp(row->logs, LEDGER_RUNNING) == 0)
        return NULL;
    for (size_t i = 0; i < array_length(marks); i++) {
        if (slice_starts_with(slice_of(row->logs), marks[i]))
            return row->logs + strlen(marks[i]);
    }
    return row->logs;
}

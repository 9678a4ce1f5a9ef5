#include "tenants/question.h"

#include <fnmatch.h>
#include <string.h>

#include "config/endpoint.h"
#include "history/journal_place.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "postgres/session.h"

enum { ASK_MS = 60 * 1000 };

/* With a limit of -2, a DROP DATABASE was interrupted: nobody can connect to what is left. */
static const struct query DATABASES = {
    .name = "tenant_databases",
    .sql =
        "SELECT d.datname, d.datallowconn AND NOT d.datistemplate"
        "       AND d.datconnlimit OPERATOR(pg_catalog.<>) -2"
        "  FROM pg_catalog.pg_database AS d",
};

static const struct query SCHEMAS = {
    .name = "tenant_schemas",
    .sql =
        "SELECT n.nspname, true"
        "  FROM pg_catalog.pg_namespace AS n"
        " WHERE n.nspname OPERATOR(pg_catalog.<>) 'information_schema'"
        "   AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')",
};

static const struct query END = { .name = "tenants_end", .sql = "ROLLBACK" };

bool question_fits(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
}

static bool is_ours(const char *schema)
{
    return strcmp(schema, JOURNAL_SHARED) == 0 ||
           strncmp(schema, JOURNAL_SHARED "_", strlen(JOURNAL_SHARED "_")) == 0;
}

static bool is_left_out(const struct config *config, const char *name)
{
    if (config->databases == NULL)
        return is_ours(name) || !question_fits(config->schemas, name);
    return !question_fits(config->databases, name) ||
           (strcmp(name, MAINTENANCE_DATABASE) == 0 && strcmp(config->databases, MAINTENANCE_DATABASE) != 0);
}

static bool add_name(const struct config *config, const char *name, bool is_there, struct tenant_rows *out,
                     struct error *err)
{
    const enum tenant_column column = config->databases != NULL ? COLUMN_DATABASE : COLUMN_SCHEMA;
    struct tenant_row *row = row_add(config->arena, out, (struct spot) { 0 }, err);

    if (row == NULL)
        return false;
    row->values[COLUMN_NAME] = row->values[column] = arena_copy(config->arena, name, strlen(name));
    row->is_there = is_there;
    return true;
}

static bool is_among(const struct result *names, const char *name)
{
    int i = 0;

    while (i < result_rows(names) && strcmp(result_text(names, i, 0), name) != 0)
        i++;
    return i < result_rows(names);
}

/* Those that are to be created. */
static bool add_new(const struct config *config, const struct result *names, struct tenant_rows *out,
                    struct error *err)
{
    for (size_t i = 0; config->makes_missing && i < config->chosen.count; i++) {
        const char *name = config->chosen.items[i];

        if (!is_among(names, name) && !is_left_out(config, name) && !add_name(config, name, false, out, err))
            return false;
    }
    return true;
}

static bool take_names(const struct config *config, const struct result *names, struct tenant_rows *out,
                       struct error *err)
{
    for (int i = 0; i < result_rows(names); i++) {
        const char *name = result_text(names, i, 0);

        if (result_bool(names, i, 1) && !is_left_out(config, name) && !add_name(config, name, true, out, err))
            return false;
    }
    return add_new(config, names, out, err);
}

static bool read_columns(const struct result *rows, enum tenant_column columns[COLUMNS_OF_QUERY],
                         struct error *err)
{
    unsigned seen = 0;
    const int count = result_columns(rows);

    for (int i = 0; i < count; i++) {
        enum tenant_column column;

        if (!row_column(result_column(rows, i), COLUMNS_OF_QUERY, &column, err))
            return false;
        if ((seen & 1u << column) != 0) {
            error_set(err, ERROR_USAGE, "two columns are called \"%s\"", TENANT_COLUMN_NAMES[column]);
            return error_hint(err, "Return each of them once.");
        }
        seen |= 1u << column;
        columns[i] = column;
    }
    if ((seen & 1u << COLUMN_NAME) != 0)
        return true;
    error_set(err, ERROR_USAGE, "no column is called \"name\"");
    return error_hint(err, "Write SELECT slug AS name, slug AS schema FROM ..., for example.");
}

static bool take_rows(struct arena *arena, const struct result *rows, struct tenant_rows *out,
                      struct error *err)
{
    enum tenant_column columns[COLUMNS_OF_QUERY] = { COLUMN_NAME };
    const int count = result_columns(rows);

    if (!read_columns(rows, columns, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        struct tenant_row *row = row_add(arena, out, (struct spot) { 0 }, err);

        if (row == NULL)
            return false;
        for (int j = 0; j < count; j++) {
            const char *value = result_text(rows, i, j);

            row->values[columns[j]] = arena_copy(arena, value, strlen(value));
        }
    }
    return true;
}

/* The operator's query sees tables as the URL's schema has them, for a minute at most. */
static bool begin(struct connection *conn, const struct endpoint *endpoint, struct error *err)
{
    const struct session_settings settings = { .search_path = endpoint->schema,
                                               .lock_timeout_ms = ASK_MS,
                                               .statement_timeout_ms = ASK_MS };
    auto_text struct text sql = text_init(1024);

    text_add_string(&sql, "BEGIN READ ONLY;");
    session_settings_add(&settings, true, &sql);
    return query_several(conn, &(const struct query) { .name = "tenants_begin", .sql = sql.at }, NULL, 0,
                         err);
}

/* It is no migration: what fails in it is for the operator to correct, unless a right is missing or the
 * server is gone. */
static void judge_query(struct error *err)
{
    static const char cancelled[] = "57014";

    if (err->class != ERROR_READ_ONLY && err->class != ERROR_CLEAN)
        return;
    if (err->class == ERROR_READ_ONLY)
        error_hint(err, "The query may only read.");
    else if (strcmp(err->sqlstate, cancelled) == 0)
        error_hint(err, "The query has a minute.");
    else
        error_hint(err, "Correct the query: one statement that returns name, and database, schema or url.");
    err->class = ERROR_USAGE;
}

static bool refuse_query(const struct config *config, struct error *err)
{
    judge_query(err);
    if (err->position > 0)
        error_point(err, "--tenants-query", config->tenants_query, strlen(config->tenants_query),
                    utf8_offset(config->tenants_query, strlen(config->tenants_query), err->position - 1));
    return error_context(err, "asking --tenants-query");
}

static bool ask_query(const struct config *config, struct connection *conn, const struct endpoint *endpoint,
                      struct tenant_rows *out, struct error *err)
{
    const struct query query = { .name = "tenants_query", .sql = config->tenants_query };
    auto_result struct result *rows = NULL;

    out->source = "--tenants-query";
    return begin(conn, endpoint, err) &&
           (query_run(conn, &query, NULL, &rows, err) || refuse_query(config, err)) &&
           query_run(conn, &END, NULL, NULL, err) &&
           (take_rows(config->arena, rows, out, err) || error_context(err, "reading --tenants-query"));
}

bool question_ask(const struct config *config, struct tenant_rows *out, struct error *err)
{
    const bool is_databases = config->databases != NULL;
    auto_connection struct connection *conn = NULL;
    auto_result struct result *names = NULL;
    struct endpoint endpoint;

    *out = (struct tenant_rows) { .source = is_databases ? "--databases" : "--schemas" };
    if (!endpoint_find(config->arena, config, &endpoint, err) ||
        (conn = reach_database(config, &endpoint, NULL, err)) == NULL)
        return error_context(err, "asking for the tenants");
    if (config->tenants_query != NULL)
        return ask_query(config, conn, &endpoint, out, err);
    return query_run(conn, is_databases ? &DATABASES : &SCHEMAS, NULL, &names, err) &&
           take_names(config, names, out, err);
}

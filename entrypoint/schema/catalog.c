#include "schema/catalog.h"

#include "postgres/query.h"
#include "schema/catalog_sql.h"
#include "sql/quote.h"

/* One message, so one transaction. What the server's functions write must not depend on the session. */
#define SETTINGS                                                                                             \
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = '';"                \
    " SET LOCAL lock_timeout = '3s'; SET LOCAL jit = off; SET LOCAL quote_all_identifiers = off;"            \
    " SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC';"   \
    " SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';"                                     \
    " SET LOCAL standard_conforming_strings = on; SET LOCAL " CATALOG_LEDGER " = "

enum { SQL_MOST = 256 * 1024, QUERIES_MOST = 96 };

static const struct catalog_query *const TABLES[] = { CATALOG_RELATIONS, CATALOG_OBJECTS, CATALOG_EXTENDING,
                                                      CATALOG_REMOTE, CATALOG_ACCESS };

/* Adds the queries for that major version; how many. */
static size_t add_queries(int major, struct text *sql)
{
    size_t count = 0;

    for (size_t i = 0; i < array_length(TABLES); i++) {
        for (const struct catalog_query *query = TABLES[i]; query->sql != NULL; query++) {
            if (major < query->since || (query->until != 0 && major > query->until) || count == QUERIES_MOST)
                continue;
            text_add_format(sql, "; %s", query->sql);
            count++;
        }
    }
    return count;
}

static void add_facts(struct arena *arena, const struct result *rows, struct facts *out)
{
    for (int i = 0; i < result_rows(rows); i++)
        facts_add(arena, out,
                  &(struct fact) { .kind = result_text(rows, i, 0),
                                   .name = result_text(rows, i, 1),
                                   .definition = result_text(rows, i, 2) });
}

/* The first query returns no rows: it only sets what is left out. */
static void add_settings(const struct catalog_request *wanted, struct text *sql)
{
    text_add_string(sql, SETTINGS);
    quote_literal(wanted->dialect->ledger_name, sql);
    text_add_string(sql, "; SELECT '', '', '' WHERE pg_catalog.set_config('" CATALOG_LEFT_OUT
                         "', (SELECT COALESCE(pg_catalog.array_agg(n.nspname), '{}')::pg_catalog.text"
                         "  FROM pg_catalog.pg_namespace AS n WHERE n.nspname" NE);
    quote_literal(wanted->own_schema == NULL ? "" : wanted->own_schema, sql);
    text_add_format(sql,
                    " AND %s AND EXISTS (SELECT FROM pg_catalog.pg_class AS l WHERE l.relnamespace" EQ
                    "n.oid AND l.relkind" EQ "'r' AND l.relname" EQ,
                    wanted->own_schema == NULL ? "false" : "true");
    quote_literal(wanted->dialect->ledger_name, sql);
    text_add_string(sql, "::pg_catalog.name)), true) IS NULL");
}

void catalog_form(int major, char hex[SHA256_HEX_SIZE])
{
    auto_text struct text sql = text_init(SQL_MOST);

    (void)add_queries(major, &sql);
    sha256_of(text_slice(&sql), hex);
}

bool catalog_read(struct arena *arena, struct connection *conn, const struct catalog_request *wanted,
                  struct facts *out, struct error *err)
{
    struct result *rows[1 + QUERIES_MOST] = { NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    size_t count;
    bool is_read;

    *out = (struct facts) { .major = connection_server_version(conn) / 10000 };
    add_settings(wanted, &sql);
    count = 1 + add_queries(out->major, &sql);
    is_read = query_several(conn, &(const struct query) { .name = "facts", .sql = sql.at }, rows, count, err);
    for (size_t i = 0; i < count; i++) {
        if (is_read)
            add_facts(arena, rows[i], out);
        result_free(rows[i]);
    }
    facts_sort(out);
    return is_read;
}

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

enum { SQL_MOST = 256 * 1024, QUERIES_MOST = 64 };

static const struct catalog_query *const TABLES[] = { CATALOG_RELATIONS, CATALOG_OBJECTS, CATALOG_ACCESS };

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

bool catalog_read(struct arena *arena, struct connection *conn, const struct dialect *dialect,
                  struct facts *out, struct error *err)
{
    struct result *rows[QUERIES_MOST] = { NULL };
    auto_text struct text sql = text_init(SQL_MOST);
    size_t count;
    bool is_read;

    *out = (struct facts) { .major = connection_server_version(conn) / 10000 };
    text_add_string(&sql, SETTINGS);
    quote_literal(dialect->ledger_name, &sql);
    count = add_queries(out->major, &sql);
    is_read = query_several(conn, &(const struct query) { .name = "facts", .sql = sql.at }, rows, count, err);
    for (size_t i = 0; i < count; i++) {
        if (is_read)
            add_facts(arena, rows[i], out);
        result_free(rows[i]);
    }
    facts_sort(out);
    return is_read;
}

#include "schema/catalog.h"

#include "postgres/query_failure.h"
#include "schema/catalog_sql.h"
#include "sql/quote.h"

/* What the server's functions write must not depend on the session. */
#define SETTINGS                                                                                             \
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = '';"                           \
    " SET LOCAL lock_timeout = '3s'; SET LOCAL jit = off; SET LOCAL quote_all_identifiers = off;"            \
    " SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC';"   \
    " SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';"                                     \
    " SET LOCAL standard_conforming_strings = on; SET LOCAL " CATALOG_LEDGER " = "

enum { BEGIN_MOST = 2048 };

static const struct query END = { .name = "facts_end", .sql = "ROLLBACK" };

static bool run_all(struct arena *arena, struct connection *conn, const struct catalog_query *queries,
                    struct facts *out, struct error *err)
{
    for (; queries->query.name != NULL; queries++) {
        auto_result struct result *rows = NULL;

        if (out->major < queries->since || (queries->until != 0 && out->major > queries->until))
            continue;
        if (!query_run(conn, &queries->query, NULL, &rows, err))
            return false;
        for (int i = 0; i < result_rows(rows); i++)
            facts_add(arena, out,
                      &(struct fact) { .kind = result_text(rows, i, 0),
                                       .name = result_text(rows, i, 1),
                                       .definition = result_text(rows, i, 2) });
    }
    return true;
}

static bool begin(struct connection *conn, const struct dialect *dialect, struct error *err)
{
    auto_text struct text sql = text_init(BEGIN_MOST);

    text_add_string(&sql, SETTINGS);
    quote_literal(dialect->ledger_name, &sql);
    return query_several(conn, &(const struct query) { .name = "facts_begin", .sql = sql.at }, NULL, 0, err);
}

bool catalog_read(struct arena *arena, struct connection *conn, const struct dialect *dialect,
                  struct facts *out, struct error *err)
{
    struct error ignored;
    bool is_read;

    *out = (struct facts) { .major = connection_server_version(conn) / 10000 };
    if (!begin(conn, dialect, err))
        return false;
    is_read = run_all(arena, conn, CATALOG_RELATIONS, out, err) &&
              run_all(arena, conn, CATALOG_OBJECTS, out, err) &&
              run_all(arena, conn, CATALOG_ACCESS, out, err);
    if (connection_is_lost(conn) || !query_several(conn, &END, NULL, 0, is_read ? err : &ignored))
        is_read = false;
    facts_sort(out);
    return is_read;
}

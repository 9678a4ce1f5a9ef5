#include "lock/tool_lease.h"

#include "postgres/query.h"
#include "sql/quote.h"

enum { SQL_MOST = 4096 };

/* The table $2 of the schema $1: whether reading it runs no code but the server's own, and it has the columns
 * $3. */
static const struct query LEASE_TABLE = {
    .name = "lease_table",
    .parameters = 3,
    .sql =
        "SELECT c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT pg_catalog.row_security_active(c.oid)"
        " AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
        " AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
        " AND ARRAY(SELECT a.attname::pg_catalog.text OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||)"
        "                  pg_catalog.format_type(a.atttypid, NULL)"
        "             FROM pg_catalog.pg_attribute AS a"
        "            WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0"
        "              AND NOT a.attisdropped) OPERATOR(pg_catalog.@>) $3::pg_catalog.text[]"
        "  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        "    ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " WHERE n.nspname OPERATOR(pg_catalog.=) $1 AND c.relname OPERATOR(pg_catalog.=) $2",
};

static bool look(struct connection *conn, const struct ledger *ledger, struct leader *holder, bool *is_held,
                 struct error *err)
{
    const struct tool_lease *lease = ledger->dialect->lease;
    auto_text struct text table = text_init(SQL_MOST);
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *row = NULL;

    quote_identifier(ledger->schema, &table);
    text_add_string(&table, ".");
    quote_identifier(lease->table, &table);
    text_add_filled(&sql, lease->look, "{lease}", table.at);
    if (!query_run(conn, &(const struct query) { .name = "lease_look", .sql = sql.at }, NULL, &row, err))
        return false;
    *is_held = result_rows(row) > 0;
    if (*is_held) {
        text_copy_cut(holder->name, sizeof holder->name, result_text(row, 0, 0));
        text_copy_cut(holder->since, sizeof holder->since, result_text(row, 0, 1));
    }
    return true;
}

bool tool_lease_find(struct connection *conn, const struct ledger *ledger, struct leader *holder,
                     bool *is_held, struct error *err)
{
    const struct tool_lease *lease = ledger->dialect->lease;
    auto_result struct result *table = NULL;

    *holder = (struct leader) { .pid = 0 };
    *is_held = false;
    if (lease == NULL)
        return true;
    const char *const parameters[] = { ledger->schema, lease->table, lease->columns };
    if (!query_run(conn, &LEASE_TABLE, parameters, &table, err))
        return false;
    return result_rows(table) == 0 || !result_bool(table, 0, 0) || look(conn, ledger, holder, is_held, err);
}

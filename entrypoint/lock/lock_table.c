#include "lock/lock_table.h"

#include "base/text.h"
#include "postgres/query.h"
#include "sql/quote.h"

enum { SQL_MOST = 4 * 1024 };

/* The plain table $1 that the session finds: reading it runs nobody's code. */
static const struct query LOCK_TABLE = {
    .name = "lock_table",
    .parameters = 1,
    .sql =
        "SELECT n.nspname FROM pg_catalog.pg_class AS c"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid"
        " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(pg_catalog.quote_ident($1))"
        "   AND c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relrowsecurity"
        "   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
        "   AND a.attname OPERATOR(pg_catalog.=) 'lock_id' AND NOT a.attisdropped",
};

static bool refuse(const char *tool, const char *table, struct error *err)
{
    error_set(err, ERROR_LEADER, "%s is at work, or was killed: its lock is in the table %s", tool, table);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "If none is at work, type: DELETE FROM %s; and then the same again.", table);
}

bool lock_table_check(struct connection *conn, const struct ledger *ledger, struct error *err)
{
    const char *name = ledger->dialect->lock_table;
    auto_result struct result *found = NULL;
    auto_result struct result *rows = NULL;
    auto_text struct text table = text_init(SQL_MOST);
    auto_text struct text sql = text_init(SQL_MOST);

    if (name == NULL)
        return true;
    if (!query_run(conn, &LOCK_TABLE, &name, &found, err))
        return false;
    if (result_rows(found) == 0)
        return true;
    quote_qualified(result_text(found, 0, 0), name, &table);
    text_add_format(&sql, "SELECT 1 FROM ONLY %s LIMIT 1", table.at);
    if (!query_run(conn, &(const struct query) { .name = "lock_table_rows", .sql = sql.at }, NULL, &rows,
                   err))
        return false;
    return result_rows(rows) == 0 || refuse(ledger->dialect->tool, table.at, err);
}

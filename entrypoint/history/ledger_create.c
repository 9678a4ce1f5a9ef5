#include <string.h>

#include "base/log.h"
#include "history/ledger.h"
#include "postgres/advisory.h"
#include "postgres/denial.h"
#include "sql/quote.h"

enum { QUERY_MOST = 16 * 1024 };

static const struct query SCHEMA_EXISTS = {
    .name = "schema_exists",
    .parameters = 1,
    .sql = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $1",
};

/* IF NOT EXISTS would require CREATE on the database even if the schema exists. */
static bool add_schema(struct connection *conn, const char *schema, struct text *sql, struct error *err)
{
    auto_result struct result *found = NULL;
    const char *const parameters[] = { schema };

    if (!query_run(conn, &SCHEMA_EXISTS, parameters, &found, err))
        return false;
    if (result_rows(found) > 0)
        return true;
    text_add_string(sql, "CREATE SCHEMA ");
    quote_identifier(schema, sql);
    text_add_string(sql, ";");
    return true;
}

/* Names of what belongs to the table contain its own. */
static void add_table(const struct ledger *ledger, struct text *sql)
{
    auto_text struct text name = text_init(QUERY_MOST);
    auto_text struct text named = text_init(QUERY_MOST);

    quote_identifier(ledger->dialect->ledger_name, &name);
    name.at[name.length - 1] = '\0';
    text_add_filled(&named, ledger->dialect->ledger->create, "{name}", name.at + 1);
    text_add_filled(sql, named.at, "{ledger}", ledger->table);
}

/* What was half done under a ledger that is gone. */
static void add_forgetting(const struct connection *conn, const struct ledger *ledger, struct text *sql)
{
    auto_text struct text table = text_init(QUERY_MOST);

    if (ledger->dialect->keeps_attempts || !ledger->has_attempts)
        return;
    text_add_filled(&table, ledger->attempts, "{journal}", connection_journal(conn));
    text_add_format(sql, ";DELETE FROM %s", table.at);
}

bool ledger_create(struct connection *conn, const struct ledger *ledger, struct error *err)
{
    auto_text struct text sql = text_init(QUERY_MOST);

    text_add_string(&sql, "SELECT 1 OPERATOR(pg_catalog./) (");
    advisory_add_try(ledger->lock_key, false, &sql);
    text_add_string(&sql, ")::pg_catalog.int4;");
    if (!add_schema(conn, ledger->schema, &sql, err) ||
        (strcmp(ledger->schema, ledger->default_schema) != 0 &&
         !add_schema(conn, ledger->default_schema, &sql, err)))
        return false;
    add_table(ledger, &sql);
    add_forgetting(conn, ledger, &sql);
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

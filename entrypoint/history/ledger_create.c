#include <string.h>

#include "base/log.h"
#include "history/journal_place.h"
#include "history/ledger.h"
#include "postgres/advisory.h"
#include "postgres/denial.h"
#include "postgres/session.h"
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

/* First in a message: the key, or a division by zero. */
static void add_key(const struct ledger *ledger, struct text *sql)
{
    text_add_string(sql, "SELECT 1 OPERATOR(pg_catalog./) (");
    advisory_add_try(ledger->lock_key, false, sql);
    text_add_string(sql, ")::pg_catalog.int4;");
}

bool ledger_create(struct connection *conn, const struct ledger *ledger, struct error *err)
{
    auto_text struct text sql = text_init(QUERY_MOST);

    add_key(ledger, &sql);
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

/* Of the schema $1, and of $2, where a ledger $3 or tables of others would be: a division by zero unless
 * there is none. What a new database has in memory is read from its catalogs first, so that little of them is
 * asked for. Relations are found by what depends on the schema, composite types by their entry as a type:
 * pg_class has no index on its schemas, and a database of many has many of them. The first column says
 * whether a journal may be begun: its own schema would be $4. */
static const struct query BEGINNING = {
    .name = "ledger_beginning",
    .parameters = 4,
    .sql =
        "SELECT pg_catalog.to_regnamespace(pg_catalog.quote_ident($4)) IS NULL"
        " AND pg_catalog.to_regnamespace('" JOURNAL_SHARED
        "') IS NULL"
        " AND pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),"
        " 1 OPERATOR(pg_catalog./) (pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)) IS NOT NULL"
        " AND pg_catalog.to_regclass($3) IS NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d"
        "  WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass"
        "    AND d.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY["
        "      pg_catalog.to_regnamespace(pg_catalog.quote_ident($1))::pg_catalog.oid,"
        "      pg_catalog.to_regnamespace(pg_catalog.quote_ident($2))::pg_catalog.oid])"
        "    AND d.classid OPERATOR(pg_catalog.=)"
        "      ANY ('{pg_catalog.pg_class,pg_catalog.pg_type}'::pg_catalog.regclass[])))::pg_catalog.int4",
};

/* Unless the URL names the schema, any of the search_path may hold the ledger. */
static void add_beginning(const struct ledger *ledger, struct text *sql)
{
    auto_text struct text name = text_init(QUERY_MOST);
    char journal[IDENTIFIER_SIZE];

    journal_own_schema(ledger->schema, journal);
    quote_qualified(ledger->is_schema_given ? ledger->schema : NULL, ledger->dialect->ledger_name, &name);
    const char *const parameters[] = { ledger->schema, ledger->is_schema_given ? ledger->schema : "public",
                                       name.at, journal };

    batch_item_add(&(const struct batch_item) { .query = &BEGINNING, .parameters = parameters }, sql);
}

bool ledger_begin(struct arena *arena, struct connection *conn, struct ledger *ledger, struct error *err)
{
    const bool can_check = connection_server_version(conn) >= SESSION_CHECKING_SINCE;
    auto_text struct text sql = text_init(QUERY_MOST);
    struct result *results[2]; /* of the key, and of the beginning */
    bool has_room;
    bool is_done;

    ledger_prepare_queries(arena, ledger);
    add_key(ledger, &sql);
    add_beginning(ledger, &sql);
    if (can_check)
        text_add_string(&sql, SESSION_CHECK_CONNECTION ";");
    add_table(ledger, &sql);
    is_done = query_several(conn, &(const struct query) { .name = "ledger_begin", .sql = sql.at }, results,
                            array_length(results), err);
    has_room = results[1] != NULL && result_bool(results[1], 0, 0);
    result_free(results[0]);
    result_free(results[1]);
    if (!is_done && (err->class == ERROR_LOST || err->class == ERROR_INTERRUPTED))
        return error_context(err, "creating the ledger %s", ledger->table);
    if (!is_done)
        return true;
    ledger->exists = true;
    ledger->beginning = (struct ledger_beginning) { .is_done = true,
                                                    .has_room_for_journal = has_room,
                                                    .can_check_connection = can_check };
    log_debug("created the ledger %s", ledger->table);
    return true;
}

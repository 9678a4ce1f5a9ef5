#include "history/attempts.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "dialect/attempts.h"
#include "history/journal.h"
#include "history/owner.h"
#include "postgres/aside.h"
#include "sql/name.h"
#include "sql/quote.h"

enum { SQL_MOST = 16 * 1024, HASH_DIGITS = 32 };

/* The table $2 of the journal's schema $1, which is quoted: whether it is one of somebody we trust. */
static const struct query ATTEMPTS_LOOK = {
    .name = "attempts_look",
    .parameters = 2,
    .sql = "SELECT " OWNER_IS_TRUSTED("c.relowner") " AND c.relkind OPERATOR(pg_catalog.=) 'r'"
           " AND NOT pg_catalog.row_security_active(c.oid)"
           " AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
           " AND NOT EXISTS (SELECT" TRIGGERS_OF_STRANGERS("c.oid") ")"
           "  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
           "    ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
           " WHERE c.relname OPERATOR(pg_catalog.=) $2 AND '\"' OPERATOR(pg_catalog.||)"
           " pg_catalog.replace(n.nspname::pg_catalog.text, '\"', '\"\"') OPERATOR(pg_catalog.||) '\"'"
           " OPERATOR(pg_catalog.=) $1",
};

/* "public.schema_migrations"; a name that would be too long is told by its hash. */
static void make_name(const char *ledger_schema, const char *ledger_name, char out[IDENTIFIER_SIZE])
{
    auto_text struct text name = text_init((size_t)4 * IDENTIFIER_SIZE);
    char hash[SHA256_HEX_SIZE];

    text_add_format(&name, "%s.%s", ledger_schema, ledger_name);
    sha256_of(text_slice(&name), hash);
    if (name.length < IDENTIFIER_SIZE)
        text_copy_cut(out, IDENTIFIER_SIZE, name.at);
    else
        (void)snprintf(out, IDENTIFIER_SIZE, "attempts_%.*s", HASH_DIGITS, hash);
}

const char *attempts_table(struct arena *arena, const char *ledger_schema, const char *ledger_name)
{
    auto_text struct text table = text_init(SQL_MOST);
    char name[IDENTIFIER_SIZE];

    make_name(ledger_schema, ledger_name, name);
    text_add_string(&table, "{journal}.");
    quote_identifier(name, &table);
    return arena_copy(arena, table.at, table.length);
}

static bool look(struct connection *conn, struct ledger *ledger, struct error *err)
{
    const struct journal journal = { .conn = conn, .ledger_schema = ledger->schema };
    auto_result struct result *found = NULL;
    char name[IDENTIFIER_SIZE];

    ledger->has_attempts = false;
    if (!journal_find(&journal, err))
        return err->class == ERROR_REFUSED;
    make_name(ledger->schema, ledger->dialect->ledger_name, name);
    const char *const parameters[] = { connection_journal(conn), name };
    if (!query_run(conn, &ATTEMPTS_LOOK, parameters, &found, err))
        return false;
    ledger->has_attempts = result_rows(found) > 0 && result_bool(found, 0, 0);
    return true;
}

/* Into `attempts`, whose dialect is set. */
static bool read(struct arena *arena, struct connection *conn, const char *text, struct ledger *attempts,
                 struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *rows = NULL;

    text_add_filled(&sql, text, "{ledger}", attempts->attempts);
    const struct query query = { .name = "attempts_read", .sql = sql.at, .is_in_journal = true };
    const struct batch_item item = { .query = &query };

    if (!aside_run(conn, NULL, &(const struct batch) { .items = &item, .count = 1 }, &rows, err))
        return error_context(err, "reading the journal's attempts");
    ledger_take_rows(arena, rows, attempts);
    return true;
}

static bool is_applied(const struct ledger *ledger, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (ledger->rows[i].is_finished && strcmp(ledger->rows[i].name, key) == 0)
            return true;
    }
    return false;
}

bool attempts_read(struct arena *arena, struct connection *conn, enum ledger_depth depth,
                   struct ledger *ledger, struct error *err)
{
    struct ledger attempts = { .dialect = ledger->dialect, .attempts = ledger->attempts };
    struct ledger_row *rows;
    size_t applied = ledger->count;
    auto_text struct text stale = text_init(SQL_MOST);

    if (!look(conn, ledger, err))
        return false;
    if (!ledger->has_attempts)
        return true;
    if (!read(arena, conn, depth == LEDGER_DETAILS ? ATTEMPTS_LEDGER.details : ATTEMPTS_LEDGER.checksums,
              &attempts, err))
        return false;
    rows = arena_alloc(arena, applied + attempts.count, sizeof *rows);
    for (size_t i = 0; i < applied; i++)
        rows[i] = ledger->rows[i];
    ledger->rows = rows;
    for (size_t i = 0; i < attempts.count; i++) {
        const struct ledger_row *attempt = &attempts.rows[i];

        /* What is applied again can be half done beside an older row. */
        if (attempt->is_rolled_back || dialect_repeats(ledger->dialect, attempt->name) ||
            !is_applied(ledger, applied, attempt->name))
            rows[ledger->count++] = *attempt;
        else
            text_add_format(&stale, "%s%s", stale.length == 0 ? "{" : ",", attempt->id);
    }
    if (stale.length > 0) {
        text_add_string(&stale, "}");
        ledger->stale = arena_copy(arena, stale.at, stale.length);
    }
    return true;
}

bool attempts_forget_stale(struct connection *conn, struct ledger *ledger, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    const char *const parameters[] = { ledger->stale };

    if (ledger->stale == NULL)
        return true;
    text_add_format(&sql, "DELETE FROM %s WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])",
                    ledger->attempts);
    const struct query forget = {
        .name = "attempts_forget_stale", .sql = sql.at, .is_in_journal = true, .parameters = 1
    };
    const struct batch_item item = { .query = &forget, .parameters = parameters };

    ledger->stale = NULL;
    return aside_run(conn, ledger->lock_key, &(const struct batch) { .items = &item, .count = 1 }, NULL,
                     err) ||
           error_context(err, "forgetting attempts whose migrations are applied");
}

bool attempts_open(struct connection *conn, struct ledger *ledger, struct error *err)
{
    const struct journal journal = { .conn = conn, .ledger_schema = ledger->schema, .key = ledger->lock_key };
    auto_text struct text sql = text_init(SQL_MOST);
    bool is_open;

    if (ledger->dialect->keeps_attempts)
        return true;
    if (!look(conn, ledger, err))
        return false;
    if (ledger->has_attempts)
        return true;
    if (!journal_check(&journal, JOURNAL_USE_ALL, err) || !journal_open(&journal, &is_open, err))
        return false;
    text_add_filled(&sql, ATTEMPTS_LEDGER.create, "{ledger}", ledger->attempts);
    const struct query create = { .name = "attempts_create", .sql = sql.at, .is_in_journal = true };
    const struct batch_item item = { .query = &create };

    if (!aside_run(conn, ledger->lock_key, &(const struct batch) { .items = &item, .count = 1 }, NULL, err) ||
        !look(conn, ledger, err))
        return error_context(err, "creating the journal's table of attempts");
    if (ledger->has_attempts)
        return true;
    error_set(err, ERROR_CLEAN, "the journal's table of attempts belongs to somebody else");
    return error_hint(err, "Find out who made a table %s in tidelock's schema, and drop it.",
                      ledger->attempts);
}

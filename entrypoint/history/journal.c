#include "history/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "postgres/session.h"

static const struct query SCHEMA_EXISTS = {
    .name = "journal_schema_exists",
    .sql = "SELECT pg_catalog.to_regnamespace('tidelock') IS NOT NULL",
};

/* CREATE SCHEMA IF NOT EXISTS needs a right on the database even if there is nothing to do. */
enum { SCHEMA_ITEMS = 2 };
static const struct query JOURNAL_CREATE[] = {
    { .name = "journal_create_schema", .sql = "CREATE SCHEMA IF NOT EXISTS tidelock" },
    { .name = "journal_comment",
      .sql = "COMMENT ON SCHEMA tidelock IS 'Progress of migrations that cannot run in a transaction.'" },
    { .name = "journal_create_intent",
      .sql = "CREATE TABLE IF NOT EXISTS tidelock.intent ("
             " ledger_id text NOT NULL, statement integer NOT NULL, txid bigint NOT NULL,"
             " prefix_sha256 text NOT NULL, sql text,"
             " recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
             " PRIMARY KEY (ledger_id, statement))" },
    { .name = "journal_create_backfill",
      .sql = "CREATE TABLE IF NOT EXISTS tidelock.backfill ("
             " ledger_id text PRIMARY KEY, pass integer NOT NULL,"
             " first_key text[] NOT NULL, last_key text[] NOT NULL, done_key text[],"
             " visited bigint NOT NULL DEFAULT 0, changed bigint NOT NULL DEFAULT 0,"
             " batches bigint NOT NULL DEFAULT 0, batch_rows bigint NOT NULL DEFAULT 0,"
             " updated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), key text)" },
};

/* Tables that an older version created lack this column. */
static const struct query HAS_KEY = {
    .name = "journal_has_key",
    .sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a"
           "  WHERE a.attrelid OPERATOR(pg_catalog.=) 'tidelock.backfill'::pg_catalog.regclass"
           "    AND a.attname OPERATOR(pg_catalog.=) 'key')",
};
static const struct query ADD_KEY = {
    .name = "journal_add_key",
    .sql = "ALTER TABLE tidelock.backfill ADD COLUMN IF NOT EXISTS key text",
};

/* The first transaction id is kept: whatever any attempt left behind is younger. */
static const struct query INTENT_RECORD = {
    .name = "intent_record",
    .parameters = 4,
    .sql =
        "INSERT INTO tidelock.intent AS i (ledger_id, statement, txid, prefix_sha256, sql)"
        " VALUES ($1, $2::integer, pg_catalog.txid_current(), $3, $4)"
        " ON CONFLICT (ledger_id, statement) DO UPDATE"
        "   SET prefix_sha256 = EXCLUDED.prefix_sha256, sql = COALESCE(EXCLUDED.sql, i.sql)"
        " RETURNING txid, prefix_sha256, sql",
};

static const struct query INTENT_READ = {
    .name = "intent_read",
    .parameters = 2,
    .sql =
        "SELECT txid, prefix_sha256, sql FROM tidelock.intent"
        " WHERE ledger_id = $1 AND statement = $2::integer",
};

const struct query JOURNAL_FORGET[JOURNAL_TABLES] = {
    { .name = "intent_forget", .parameters = 1, .sql = "DELETE FROM tidelock.intent WHERE ledger_id = $1" },
    { .name = "backfill_forget",
      .parameters = 1,
      .sql = "DELETE FROM tidelock.backfill WHERE ledger_id = $1" },
};

const struct query BACKFILL_READ = {
    .name = "backfill_read",
    .parameters = 1,
    .sql =
        "SELECT key, pass, visited, changed, batches, batch_rows,"
        "       first_key, first_key[1], first_key[2], first_key[3], first_key[4],"
        "       last_key, last_key[1], last_key[2], last_key[3], last_key[4],"
        "       done_key, done_key[1], done_key[2], done_key[3], done_key[4]"
        "  FROM tidelock.backfill WHERE ledger_id = $1",
};

const struct query BACKFILL_START = {
    .name = "backfill_start",
    .parameters = 5,
    .sql =
        "INSERT INTO tidelock.backfill (ledger_id, pass, first_key, last_key, key)"
        " VALUES ($1, $2::integer, $3::text[], $4::text[], $5)"
        " ON CONFLICT (ledger_id) DO UPDATE"
        "   SET pass = EXCLUDED.pass, key = EXCLUDED.key, first_key = EXCLUDED.first_key, last_key = EXCLUDED.last_key,"
        "       done_key = NULL, visited = 0, updated_at = pg_catalog.clock_timestamp()",
};

const struct query BACKFILL_ADVANCE = {
    .name = "backfill_advance",
    .parameters = 5,
    .sql =
        "UPDATE tidelock.backfill SET done_key = $2::text[], visited = visited + $3::bigint,"
        "       changed = changed + $4::bigint, batches = batches + 1, batch_rows = $5::bigint,"
        "       updated_at = pg_catalog.clock_timestamp()"
        " WHERE ledger_id = $1",
};

static const struct query JOURNAL_EXISTS = {
    .name = "journal_exists",
    .sql = "SELECT pg_catalog.to_regclass('tidelock.backfill') IS NOT NULL",
};

static const struct query BEGIN = { .name = "begin", .sql = "BEGIN" };

enum { ITEMS_MOST = 1 + SESSION_ASIDES + array_length(JOURNAL_CREATE) };

/* Runs statements in a transaction of their own, without any role that a script has set; the rows of the last
 * one go to `out`. */
static bool run_aside(struct connection *conn, const struct batch_item *own, size_t count,
                      struct result **out, struct error *err)
{
    struct batch_item items[ITEMS_MOST];
    struct error ignored;
    bool is_done;

    items[0] = (struct batch_item) { .query = &BEGIN };
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[1 + i] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    memcpy(items + 1 + SESSION_ASIDES, own, count * sizeof *own);
    is_done =
        query_batch(
            conn, &(const struct batch) { .items = items, .count = 1 + SESSION_ASIDES + count, .rows = out },
            err) &&
        query_several(conn, &(const struct query) { .name = "commit", .sql = "COMMIT" }, NULL, 0, err);
    if (!is_done && connection_is_in_transaction(conn) &&
        !query_several(conn, &(const struct query) { .name = "rollback", .sql = "ROLLBACK" }, NULL, 0,
                       &ignored))
        log_debug("could not roll back: %s", ignored.message);
    return is_done;
}

bool journal_exists(struct connection *conn, bool *exists, struct error *err)
{
    auto_result struct result *result = NULL;
    const struct batch_item item = { .query = &JOURNAL_EXISTS };

    if (!run_aside(conn, &item, 1, &result, err))
        return false;
    *exists = result_bool(result, 0, 0);
    return true;
}

bool journal_create(struct connection *conn, struct error *err)
{
    const struct batch_item look = { .query = &SCHEMA_EXISTS };
    struct batch_item items[array_length(JOURNAL_CREATE)];
    auto_result struct result *result = NULL;
    size_t first;

    if (!run_aside(conn, &look, 1, &result, err))
        return false;
    first = result_bool(result, 0, 0) ? SCHEMA_ITEMS : 0;
    for (size_t i = first; i < array_length(JOURNAL_CREATE); i++)
        items[i] = (struct batch_item) { .query = &JOURNAL_CREATE[i] };
    return run_aside(conn, items + first, array_length(JOURNAL_CREATE) - first, NULL, err);
}

bool journal_extend(struct connection *conn, struct error *err)
{
    const struct batch_item look = { .query = &HAS_KEY };
    const struct batch_item add = { .query = &ADD_KEY };
    auto_result struct result *result = NULL;

    return run_aside(conn, &look, 1, &result, err) &&
           (result_bool(result, 0, 0) || run_aside(conn, &add, 1, NULL, err));
}

void intent_free(struct intent *intent)
{
    free(intent->sql);
}

/* Runs a statement that returns an intent. */
static bool fetch(struct connection *conn, const struct query *query, const char *const *parameters,
                  struct intent *out, struct error *err)
{
    auto_result struct result *result = NULL;
    const struct batch_item item = { .query = query, .parameters = parameters };

    if (!run_aside(conn, &item, 1, &result, err))
        return false;
    out->is_known = result_rows(result) > 0;
    if (!out->is_known)
        return true;
    text_copy_cut(out->txid, sizeof out->txid, result_text(result, 0, 0));
    text_copy_cut(out->prefix, sizeof out->prefix, result_text(result, 0, 1));
    if (!result_is_null(result, 0, 2))
        out->sql = memory_copy(result_text(result, 0, 2), strlen(result_text(result, 0, 2)));
    return true;
}

bool journal_record(struct connection *conn, const struct journal_entry *entry, struct intent *out,
                    struct error *err)
{
    char number[24];
    const char *const parameters[] = { entry->ledger_id, number, entry->prefix, entry->sql };
    bool exists;

    *out = (struct intent) { .is_known = false };
    (void)snprintf(number, sizeof number, "%zu", entry->statement);
    if (!journal_exists(conn, &exists, err))
        return false;
    if (!exists && !journal_create(conn, err)) {
        if (strcmp(err->sqlstate, "42501") != 0)
            return false;
        log_warn(
            "could not create the schema \"tidelock\" (GRANT CREATE ON DATABASE): if this run is killed, "
            "you will have to clean up what it leaves behind");
        return true;
    }
    return fetch(conn, &INTENT_RECORD, parameters, out, err);
}

bool journal_read(struct connection *conn, const char *ledger_id, size_t statement, struct intent *out,
                  struct error *err)
{
    char number[24];
    const char *const parameters[] = { ledger_id, number };
    bool exists;

    *out = (struct intent) { .is_known = false };
    (void)snprintf(number, sizeof number, "%zu", statement);
    return journal_exists(conn, &exists, err) && (!exists || fetch(conn, &INTENT_READ, parameters, out, err));
}

#include "history/sidecar.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

static const char SIDECAR_CREATE[] =
    "CREATE SCHEMA IF NOT EXISTS tidelock;"
    "CREATE TABLE IF NOT EXISTS tidelock.intent ("
    " ledger_id text NOT NULL, statement integer NOT NULL, txid bigint NOT NULL,"
    " prefix_sha256 text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
    " PRIMARY KEY (ledger_id, statement));"
    "COMMENT ON SCHEMA tidelock IS 'Progress of migrations that cannot run in a transaction.'";

static const struct query INTENT_RECORD = {
    .name = "intent_record",
    .parameters = 3,
    .sql =
        "INSERT INTO tidelock.intent AS i (ledger_id, statement, txid, prefix_sha256)"
        " VALUES ($1, $2::integer, pg_catalog.txid_current(), $3)"
        " ON CONFLICT (ledger_id, statement) DO UPDATE"
        "   SET prefix_sha256 = EXCLUDED.prefix_sha256"
        " RETURNING txid, prefix_sha256",
};

static const struct query INTENT_READ = {
    .name = "intent_read",
    .parameters = 2,
    .sql = "SELECT txid, prefix_sha256 FROM tidelock.intent WHERE ledger_id = $1 AND statement = $2::integer",
};

const struct query INTENT_FORGET = {
    .name = "intent_forget",
    .parameters = 1,
    .sql = "DELETE FROM tidelock.intent WHERE ledger_id = $1",
};

static const struct query SIDECAR_EXISTS = {
    .name = "sidecar_exists",
    .sql = "SELECT pg_catalog.to_regclass('tidelock.intent') IS NOT NULL",
};

bool sidecar_exists(struct connection *conn, bool *exists, struct error *err)
{
    auto_result struct result *result = NULL;

    if (!query_run(conn, &SIDECAR_EXISTS, NULL, &result, err))
        return false;
    *exists = result_bool(result, 0, 0);
    return true;
}

static void intent_fill(const struct result *result, struct intent *out)
{
    *out = (struct intent) { .is_known = result_rows(result) > 0 };
    if (!out->is_known)
        return;
    text_copy_cut(out->txid, sizeof out->txid, result_text(result, 0, 0));
    text_copy_cut(out->prefix, sizeof out->prefix, result_text(result, 0, 1));
}

bool intent_record(struct connection *conn, const char *ledger_id, size_t statement, const char *prefix,
                   struct intent *out, struct error *err)
{
    auto_result struct result *result = NULL;
    char number[24];
    const char *const parameters[] = { ledger_id, number, prefix };
    bool exists;

    *out = (struct intent) { .is_known = false };
    (void)snprintf(number, sizeof number, "%zu", statement);
    if (!sidecar_exists(conn, &exists, err))
        return false;
    if (!exists && !query_several(conn, "sidecar_create", SIDECAR_CREATE, NULL, 0, err)) {
        if (strcmp(err->sqlstate, "42501") != 0)
            return false;
        log_warn(
            "this role may not create the schema \"tidelock\" (GRANT CREATE ON DATABASE): should this run be "
            "killed, what it leaves behind can't be repaired without you");
        return true;
    }
    if (!query_run(conn, &INTENT_RECORD, parameters, &result, err))
        return false;
    intent_fill(result, out);
    return true;
}

bool intent_read(struct connection *conn, const char *ledger_id, size_t statement, struct intent *out,
                 struct error *err)
{
    auto_result struct result *result = NULL;
    char number[24];
    const char *const parameters[] = { ledger_id, number };
    bool exists;

    *out = (struct intent) { .is_known = false };
    (void)snprintf(number, sizeof number, "%zu", statement);
    if (!sidecar_exists(conn, &exists, err))
        return false;
    if (!exists)
        return true;
    if (!query_run(conn, &INTENT_READ, parameters, &result, err))
        return false;
    intent_fill(result, out);
    return true;
}

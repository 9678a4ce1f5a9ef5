#include <string.h>

#include "history/journal.h"

const struct query BACKFILL_READ = {
    .name = "backfill_read",
    .is_in_journal = true,
    .parameters = 1,
    .sql =
        "SELECT key, pass, visited, changed, batches, batch_rows,"
        "       first_key, first_key[1], first_key[2], first_key[3], first_key[4],"
        "       last_key, last_key[1], last_key[2], last_key[3], last_key[4],"
        "       done_key, done_key[1], done_key[2], done_key[3], done_key[4]"
        "  FROM {journal}.backfill WHERE ledger_id OPERATOR(pg_catalog.=) $1",
};

const struct query BACKFILL_START = {
    .name = "backfill_start",
    .is_in_journal = true,
    .parameters = 5,
    .sql =
        "INSERT INTO {journal}.backfill (ledger_id, pass, first_key, last_key, key)"
        " VALUES ($1, $2::integer, $3::pg_catalog.text[], $4::pg_catalog.text[], $5)"
        " ON CONFLICT (ledger_id) DO UPDATE"
        "   SET pass = EXCLUDED.pass, key = EXCLUDED.key,"
        "       first_key = EXCLUDED.first_key, last_key = EXCLUDED.last_key,"
        "       done_key = NULL, visited = 0, updated_at = pg_catalog.clock_timestamp()",
};

const struct query BACKFILL_ADVANCE = {
    .name = "backfill_advance",
    .is_in_journal = true,
    .parameters = 5,
    .sql =
        "WITH batch AS (SELECT"
        " pg_catalog.current_setting('tidelock.changed')::pg_catalog.int8 AS changed),"
        " advanced AS (UPDATE {journal}.backfill AS b SET done_key = $2::pg_catalog.text[],"
        "       visited = visited OPERATOR(pg_catalog.+) COALESCE($3::pg_catalog.int8, batch.changed),"
        "       changed = b.changed OPERATOR(pg_catalog.+) batch.changed,"
        "       batches = batches OPERATOR(pg_catalog.+) 1, batch_rows = $4::pg_catalog.int8,"
        "       updated_at = pg_catalog.clock_timestamp()"
        "  FROM batch"
        " WHERE ledger_id OPERATOR(pg_catalog.=) $1 AND batches OPERATOR(pg_catalog.=) $5::pg_catalog.int8"
        " RETURNING batch.changed)"
        " SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)::pg_catalog.int4,"
        "        pg_catalog.max(changed),"
        "        (1000 OPERATOR(pg_catalog.*) EXTRACT(epoch FROM pg_catalog.clock_timestamp()"
        " OPERATOR(pg_catalog.-) pg_catalog.transaction_timestamp()))::pg_catalog.int8"
        "   FROM advanced",
};

bool backfill_count_changed(struct connection *conn, const char *ledger_id, int64_t *changed,
                            struct error *err)
{
    /* Not all of it: an older version's table lacks a column. */
    static const struct query query = {
        .name = "backfill_changed",
        .is_in_journal = true,
        .parameters = 1,
        .sql = "SELECT changed FROM {journal}.backfill WHERE ledger_id OPERATOR(pg_catalog.=) $1",
    };
    auto_result struct result *found = NULL;
    const char *const parameters[] = { ledger_id };

    /* Without the table, none was ever begun. */
    if (!query_run(conn, &query, parameters, &found, err) && strcmp(err->sqlstate, "42P01") != 0)
        return false;
    *changed = found == NULL || result_rows(found) == 0 ? -1 : result_number(found, 0, 0);
    return true;
}

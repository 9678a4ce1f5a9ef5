#include "history/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "postgres/aside.h"

/* Nobody waits for it to be on disk. */
const struct query ORIGIN_RECORD = {
    .name = "origin_record",
    .is_in_journal = true,
    .parameters = 3,
    .sql =
        "INSERT INTO {journal}.origin AS o (ledger_id, host, version)"
        " SELECT $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.text"
        "   FROM (SELECT pg_catalog.set_config('synchronous_commit', 'off', true)) AS s (mode)"
        "  WHERE s.mode IS NOT NULL"
        " ON CONFLICT (ledger_id) DO UPDATE SET host = EXCLUDED.host, version = EXCLUDED.version,"
        "    recorded_at = pg_catalog.clock_timestamp()",
};

void origin_record(const struct journal *journal, const struct origin *origin)
{
    const char *const parameters[] = { origin->ledger_id, origin->host, origin->version };
    const struct batch_item item = { .query = &ORIGIN_RECORD, .parameters = parameters };
    struct error err;

    if (!aside_run(journal->conn, journal->key, &(const struct batch) { .items = &item, .count = 1 }, NULL,
                   &err))
        log_debug("could not record who applies the migration: %s", err.message);
}

static const char *copy(struct arena *arena, const struct result *rows, int row, int column)
{
    const char *value = result_text(rows, row, column);

    return arena_copy(arena, value, strlen(value));
}

struct origins origin_read(struct arena *arena, struct connection *conn, const char *ledger_schema)
{
    static const struct query all = {
        .name = "origins",
        .is_in_journal = true,
        .sql =
            "SELECT ledger_id, host, version FROM {journal}.origin ORDER BY ledger_id COLLATE pg_catalog.\"C\"",
    };
    const struct journal journal = { .conn = conn, .ledger_schema = ledger_schema };
    struct origins origins = { .count = 0 };
    auto_result struct result *rows = NULL;
    struct error err = { .class = ERROR_NONE };

    origins.has_journal = journal_find(&journal, &err);
    if (!origins.has_journal || !query_run(conn, &all, NULL, &rows, &err)) {
        log_debug("it is not known who applied the migrations: %s", err.message);
        return origins;
    }
    origins.count = (size_t)result_rows(rows);
    origins.items = arena_alloc(arena, origins.count, sizeof *origins.items);
    for (size_t i = 0; i < origins.count; i++)
        origins.items[i] = (struct origin) { .ledger_id = copy(arena, rows, (int)i, 0),
                                             .host = copy(arena, rows, (int)i, 1),
                                             .version = copy(arena, rows, (int)i, 2) };
    return origins;
}

static int compare(const void *id, const void *origin)
{
    return strcmp(id, ((const struct origin *)origin)->ledger_id);
}

const struct origin *origin_find(const struct origins *origins, const char *ledger_id)
{
    if (ledger_id == NULL || origins->count == 0)
        return NULL;
    return bsearch(ledger_id, origins->items, origins->count, sizeof *origins->items, compare);
}

#include "history/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "postgres/aside.h"
#include "sql/quote.h"

enum {
    KEPT_MOST = 256,
    DUE_AT = 128, /* several may be added at once, between two looks */
    IDS_SIZE = KEPT_MOST * UUID_SIZE,
    GISTS_SIZE = KEPT_MOST * SHA256_HEX_SIZE,
    KEPT_MS = 1000
};

/* Nobody waits for it to be on disk, and it waits for nobody. */
static const struct query MANNERS = {
    .name = "origin_manners",
    .sql =
        "SELECT pg_catalog.set_config('synchronous_commit', 'off', true),"
        "       pg_catalog.set_config('lock_timeout', '100ms', true)",
};

static const struct query RECORD = {
    .name = "origin_record",
    .is_in_journal = true,
    .parameters = 5,
    .sql =
        "INSERT INTO {journal}.origin AS o (ledger_id, host, version, gist_sha256, release)"
        " SELECT i.id, $3::pg_catalog.text, $4::pg_catalog.text, i.gist,"
        "       $5::pg_catalog.text"
        "   FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]),"
        "                   pg_catalog.unnest($2::pg_catalog.text[])) AS i (id, gist)"
        " ON CONFLICT (ledger_id) DO UPDATE SET host = EXCLUDED.host, version = EXCLUDED.version,"
        "    gist_sha256 = EXCLUDED.gist_sha256, release = EXCLUDED.release,"
        "    recorded_at = pg_catalog.clock_timestamp()",
};

static const struct query FORGET = {
    .name = "origin_forget",
    .is_in_journal = true,
    .parameters = 1,
    .sql = "DELETE FROM {journal}.origin WHERE ledger_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])",
};

static void write_aside(const struct journal *journal, const struct query *query,
                        const char *const *parameters)
{
    const struct batch_item items[] = { { .query = &MANNERS }, { .query = query, .parameters = parameters } };
    struct error err;

    if (!aside_run(journal->conn, journal->key,
                   &(const struct batch) { .items = items, .count = array_length(items) }, NULL, &err))
        log_debug("could not record who applies the migrations: %s", err.message);
}

/* Whoever applies it next may be another tool, and the row may have the same id. */
static void forget(const struct journal *journal, const char *ids)
{
    write_aside(journal, &FORGET, (const char *const[]) { ids });
}

/* `ids` and `gists` are arrays. */
static void record(const struct journal *journal, const char *ids, const char *gists,
                   const struct origin *who)
{
    write_aside(journal, &RECORD,
                (const char *const[]) { ids, gists, who->host, who->version, who->release });
}

void origin_record(const struct journal *journal, const struct origin *origin)
{
    auto_text struct text id = text_init(UUID_SIZE + 2);
    auto_text struct text gist = text_init(SHA256_HEX_SIZE + 2);

    text_add_format(&id, "{%s}", origin->ledger_id);
    text_add_format(&gist, "{%s}", origin->gist);
    record(journal, id.at, gist.at, origin);
}

void origin_queue_add(struct origin_queue *queue, const char *ledger_id, const char *gist)
{
    char comma = ',';

    if (queue->ids.length == 0) {
        queue->ids = text_init(IDS_SIZE + 2);
        queue->gists = text_init(GISTS_SIZE + 2);
        queue->due = deadline_in(KEPT_MS);
        comma = '{';
    }
    text_add_format(&queue->ids, "%c%s", comma, ledger_id);
    text_add_format(&queue->gists, "%c%s", comma, gist);
}

bool origin_queue_is_due(const struct origin_queue *queue)
{
    return queue->ids.length >= (size_t)DUE_AT * UUID_SIZE ||
           (queue->ids.length > 0 && deadline_passed(queue->due));
}

void origin_queue_write(struct origin_queue *queue, const struct journal *journal, const struct origin *who)
{
    if (queue->ids.length == 0)
        return;
    text_add_string(&queue->ids, "}");
    text_add_string(&queue->gists, "}");
    if (who == NULL)
        forget(journal, queue->ids.at);
    else
        record(journal, queue->ids.at, queue->gists.at, who);
    origin_queue_clear(queue);
}

void origin_queue_clear(struct origin_queue *queue)
{
    text_clear(&queue->ids);
    text_clear(&queue->gists);
}

static const char *copy(struct arena *arena, const struct result *rows, int row, int column)
{
    const char *value = result_text(rows, row, column);

    return arena_copy(arena, value, strlen(value));
}

/* An older version has not recorded it. */
static const char *copy_known(struct arena *arena, const struct result *rows, int row, int column)
{
    return result_is_null(rows, row, column) ? NULL : copy(arena, rows, row, column);
}

static void add_ids(const struct ledger *ledger, struct text *out)
{
    text_add_string(out, "{");
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].id == NULL)
            continue;
        text_add_string(out, out->length == 1 ? "" : ",");
        quote_element(ledger->rows[i].id, out);
    }
    text_add_string(out, "}");
}

struct origins origin_read(struct arena *arena, struct connection *conn, const struct ledger *ledger)
{
    static const struct query all = {
        .name = "origins",
        .is_in_journal = true,
        .parameters = 1,
        .sql =
            "SELECT o.ledger_id, o.host, o.version,"
            "       pg_catalog.to_jsonb(o) OPERATOR(pg_catalog.->>) 'gist_sha256',"
            "       pg_catalog.to_jsonb(o) OPERATOR(pg_catalog.->>) 'release'"
            "  FROM {journal}.origin AS o"
            " WHERE o.ledger_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])"
            " ORDER BY o.ledger_id COLLATE pg_catalog.\"C\"",
    };
    const struct journal journal = { .conn = conn, .ledger_schema = ledger->schema };
    auto_text struct text ids = text_init(SIZE_MAX);
    struct origins origins = { .count = 0 };
    auto_result struct result *rows = NULL;
    struct error err = { .class = ERROR_NONE };

    origins.has_journal = journal_find(&journal, &err);
    add_ids(ledger, &ids);
    if (!origins.has_journal || !query_run(conn, &all, (const char *const[]) { ids.at }, &rows, &err)) {
        log_debug("it is not known who applied the migrations: %s", err.message);
        return origins;
    }
    origins.count = (size_t)result_rows(rows);
    origins.items = arena_alloc(arena, origins.count, sizeof *origins.items);
    for (size_t i = 0; i < origins.count; i++)
        origins.items[i] = (struct origin) { .ledger_id = copy(arena, rows, (int)i, 0),
                                             .host = copy(arena, rows, (int)i, 1),
                                             .version = copy(arena, rows, (int)i, 2),
                                             .gist = copy_known(arena, rows, (int)i, 3),
                                             .release = copy_known(arena, rows, (int)i, 4) };
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

#include "schema/recorded.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "postgres/aside.h"
#include "postgres/query.h"

enum { RECORDED_MOST = 256 * 1024 * 1024 };

/* Nobody waits for it to be on disk, and it waits for nobody. */
static const struct query MANNERS = {
    .name = "schema_manners",
    .sql =
        "SELECT pg_catalog.set_config('synchronous_commit', 'off', true),"
        "       pg_catalog.set_config('client_min_messages', 'warning', true),"
        "       pg_catalog.set_config('statement_timeout', '30s', true),"
        "       pg_catalog.set_config('lock_timeout', '1s', true)",
};

/* A journal may serve several ledgers. */
static const struct query CREATE = {
    .name = "schema_create",
    .is_in_journal = true,
    .sql = "CREATE TABLE IF NOT EXISTS {journal}." RECORDED_TABLE
           " (ledger_schema pg_catalog.text PRIMARY KEY,"
           " ledger_sha256 pg_catalog.text NOT NULL, form_sha256 pg_catalog.text NOT NULL,"
           " facts pg_catalog.text NOT NULL,"
           " recorded_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp())",
};

static const struct query WRITE = {
    .name = "schema_write",
    .is_in_journal = true,
    .parameters = 4,
    .sql = "INSERT INTO {journal}." RECORDED_TABLE
           " AS s (ledger_schema, ledger_sha256, form_sha256, facts)"
           " VALUES ($1, $2, $3, $4)"
           " ON CONFLICT (ledger_schema) DO UPDATE SET ledger_sha256 = EXCLUDED.ledger_sha256,"
           "    form_sha256 = EXCLUDED.form_sha256, facts = EXCLUDED.facts,"
           "    recorded_at = pg_catalog.clock_timestamp()",
};

static const struct query READ = {
    .name = "schema_read",
    .is_in_journal = true,
    .parameters = 1,
    .sql =
        "SELECT s.ledger_sha256, s.form_sha256, s.facts,"
        "       pg_catalog.to_char(s.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        "  FROM {journal}." RECORDED_TABLE " AS s WHERE s.ledger_schema OPERATOR(pg_catalog.=) $1",
};

static int compare(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* As the ledger has them: what the folder makes of that is not always known. */
void recorded_ledger(const struct ledger *ledger, char hex[SHA256_HEX_SIZE])
{
    auto_arena struct arena *arena = arena_new();
    const char **names = arena_alloc(arena, ledger->count, sizeof *names);
    auto_text struct text all = text_init(SIZE_MAX);
    size_t count = 0;

    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].is_finished && !ledger->rows[i].is_rolled_back && ledger->rows[i].key != NULL)
            names[count++] = ledger->rows[i].key;
    }
    if (count > 0)
        qsort(names, count, sizeof *names, compare);
    for (size_t i = 0; i < count; i++)
        text_add_format(&all, "%s\n", names[i]);
    sha256_of(text_slice(&all), hex);
}

static bool read_facts(struct arena *arena, const char *text, struct recorded *out)
{
    struct error err;
    const char *kept = arena_copy(arena, text, strlen(text));

    if (facts_read(arena, "the journal", slice_of(kept), &out->facts, &err))
        return true;
    log_debug("the recorded schema cannot be read: %s", err.message);
    return false;
}

bool recorded_read(struct arena *arena, const struct journal *journal, struct recorded *out,
                   struct error *err)
{
    const struct batch_item items[] = { { .query = &MANNERS },
                                        { .query = &READ, .parameters = &journal->ledger_schema } };
    auto_result struct result *rows = NULL;
    const char *at;

    *out = (struct recorded) { .exists = false };
    if (!journal_find(journal, err) ||
        !aside_run(journal->conn, NULL,
                   &(const struct batch) { .items = items, .count = array_length(items) }, &rows, err)) {
        log_debug("no schema is recorded: %s", err->message);
        return !connection_is_lost(journal->conn) && err->class != ERROR_INTERRUPTED;
    }
    if (result_rows(rows) == 0)
        return true;
    text_copy_cut(out->ledger, sizeof out->ledger, result_text(rows, 0, 0));
    text_copy_cut(out->form, sizeof out->form, result_text(rows, 0, 1));
    at = result_text(rows, 0, 3);
    out->at = arena_copy(arena, at, strlen(at));
    out->exists = read_facts(arena, result_text(rows, 0, 2), out);
    return true;
}

bool recorded_write(const struct journal *journal, const struct recorded *recorded, struct error *err)
{
    auto_text struct text facts = text_init(RECORDED_MOST);

    facts_write(&recorded->facts, &facts);
    const char *const values[] = { journal->ledger_schema, recorded->ledger, recorded->form, facts.at };
    const struct batch_item items[] = { { .query = &MANNERS },
                                        { .query = &CREATE },
                                        { .query = &WRITE, .parameters = values } };

    if (facts.has_overflowed)
        return error_set(err, ERROR_REFUSED, "the schema is too large to be recorded");
    return aside_run(journal->conn, journal->key,
                     &(const struct batch) { .items = items, .count = array_length(items) }, NULL, err);
}

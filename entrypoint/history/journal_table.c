#include "history/journal_table.h"

const struct query JOURNAL_SCHEMA[JOURNAL_PLACE_ITEMS] = {
    { .name = "journal_create_schema",
      .is_in_journal = true,
      .sql = "CREATE SCHEMA IF NOT EXISTS {journal}" },
    { .name = "journal_comment",
      .is_in_journal = true,
      .sql =
          "COMMENT ON SCHEMA {journal} IS 'Kept by tidelock: who applied what, and the progress of migrations that commit more than once.'" },
};

const struct query JOURNAL_NEW_SCHEMA = {
    .name = "journal_new_schema",
    .is_in_journal = true,
    .sql = "CREATE SCHEMA {journal}",
};

static const struct query CREATE[] = {
    { .name = "journal_create_intent",
      .is_in_journal = true,
      .sql = "CREATE TABLE IF NOT EXISTS {journal}.intent ("
             " ledger_id pg_catalog.text NOT NULL, statement integer NOT NULL, txid bigint NOT NULL,"
             " prefix_sha256 pg_catalog.text NOT NULL, sql pg_catalog.text,"
             " recorded_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
             " PRIMARY KEY (ledger_id, statement))" },
    { .name = "journal_create_backfill",
      .is_in_journal = true,
      .sql = "CREATE TABLE IF NOT EXISTS {journal}.backfill ("
             " ledger_id pg_catalog.text PRIMARY KEY, pass integer NOT NULL,"
             " first_key pg_catalog.text[] NOT NULL, last_key pg_catalog.text[] NOT NULL, done_key"
             " pg_catalog.text[],"
             " visited bigint NOT NULL DEFAULT 0, changed bigint NOT NULL DEFAULT 0,"
             " batches bigint NOT NULL DEFAULT 0, batch_rows bigint NOT NULL DEFAULT 0,"
             " updated_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
             " key pg_catalog.text)" },
    { .name = "journal_create_session",
      .is_in_journal = true,
      .sql = "CREATE TABLE IF NOT EXISTS {journal}.session ("
             " ledger_id pg_catalog.text PRIMARY KEY, state pg_catalog.jsonb NOT NULL,"
             " pending pg_catalog.jsonb, pending_from integer,"
             " updated_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp())" },
    { .name = "journal_create_origin",
      .is_in_journal = true,
      .sql = "CREATE TABLE IF NOT EXISTS {journal}.origin ("
             " ledger_id pg_catalog.text PRIMARY KEY, host pg_catalog.text NOT NULL,"
             " version pg_catalog.text NOT NULL,"
             " recorded_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
             " gist_sha256 pg_catalog.text, release pg_catalog.text)" },
};

size_t journal_add_tables(unsigned tables, struct batch_item *items)
{
    size_t count = 0;

    for (size_t i = 0; i < array_length(CREATE); i++) {
        if ((tables & 1u << i) != 0)
            items[count++] = (struct batch_item) { .query = &CREATE[i] };
    }
    return count;
}

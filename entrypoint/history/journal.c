#include "history/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/journal_place.h"
#include "history/journal_table.h"
#include "history/owner.h"
#include "postgres/aside.h"

/* Of the schema $1 and of the shared one: what journal_choose() asks, and who owns it. With $2 it will
 * be written. The last two tables are made by whoever writes to them. */
static const struct query JOURNAL_PLACES = {
    .name = "journal_places",
    .parameters = 2,
    .sql =
        "WITH ours AS (SELECT c.oid, c.relnamespace, c.relowner, c.relkind, c.relname FROM pg_catalog.pg_class AS c"
        " WHERE c.relname OPERATOR(pg_catalog.=) ANY ('{intent,backfill,session,origin," RECORDED_TABLE
        "," FLOOR_TABLE "," RESTORE_POINT_TABLE "}'::pg_catalog.text[])),"
        " tables AS (SELECT * FROM ours WHERE relname OPERATOR(pg_catalog.<>) ALL ('{" RECORDED_TABLE
        "," FLOOR_TABLE "," RESTORE_POINT_TABLE "}'::pg_catalog.text[]))"
        " SELECT n.oid IS NOT NULL,"
        " " OWNER_IS_TRUSTED("n.nspowner") " AND NOT EXISTS (SELECT FROM ours AS c"
        " WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid"
        " AND (NOT " OWNER_IS_TRUSTED("c.relowner")
        " OR c.relkind OPERATOR(pg_catalog.<>) 'r'"
        " OR EXISTS (SELECT" TRIGGERS_OF_STRANGERS("c.oid") "))),"
        " pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND NOT EXISTS (SELECT FROM tables AS c"
        " WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid"
        " AND (pg_catalog.row_security_active(c.oid)"
        " OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')"
        " OR $2::pg_catalog.bool"
        " AND NOT (pg_catalog.has_table_privilege(c.oid, 'INSERT')"
        " AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')"
        " AND pg_catalog.has_table_privilege(c.oid, 'DELETE')))),"
        " (SELECT COALESCE(" JOURNAL_BITS("c.relname") ", 0)"
        " FROM tables AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid),"
        " pg_catalog.has_schema_privilege(n.oid, 'CREATE'), pg_catalog.pg_get_userbyid(n.nspowner),"
        " pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),"
        " pg_catalog.current_database(), CURRENT_USER,"
        " EXISTS (SELECT FROM tables AS c JOIN pg_catalog.pg_attribute AS a"
        " ON a.attrelid OPERATOR(pg_catalog.=) c.oid"
        " WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid"
        " AND a.attname OPERATOR(pg_catalog.=) 'release')"
        " FROM (VALUES (1, $1::pg_catalog.text), (2, '" JOURNAL_SHARED "')) AS p (number, name)"
        " LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) p.name"
        " ORDER BY p.number",
};

static const struct query OWN_IS_MISSING = {
    .name = "journal_own_is_missing",
    .parameters = 1,
    .sql = "SELECT pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)) IS NULL",
};

/* Tables that an older version created lack these columns. */
static const struct query COMPLETE_ORIGIN = {
    .name = "journal_complete_origin",
    .is_in_journal = true,
    .sql =
        "ALTER TABLE {journal}.origin ADD COLUMN IF NOT EXISTS gist_sha256 pg_catalog.text,"
        " ADD COLUMN IF NOT EXISTS release pg_catalog.text",
};
static const struct query LOOK_FOR_KEY = {
    .name = "journal_look_for_key",
    .is_in_journal = true,
    .sql = "SELECT b.key FROM {journal}.backfill AS b LIMIT 0",
};
static const struct query ADD_KEY = {
    .name = "journal_add_key",
    .is_in_journal = true,
    .sql = "ALTER TABLE {journal}.backfill ADD COLUMN IF NOT EXISTS key pg_catalog.text",
};

/* The first transaction id is kept: whatever any attempt left behind is younger. */
static const struct query INTENT_RECORD = {
    .name = "intent_record",
    .is_in_journal = true,
    .parameters = 4,
    .sql =
        "INSERT INTO {journal}.intent AS i (ledger_id, statement, txid, prefix_sha256, sql)"
        " VALUES ($1, $2::integer, pg_catalog.txid_current(), $3, $4)"
        " ON CONFLICT (ledger_id, statement) DO UPDATE"
        "   SET prefix_sha256 = EXCLUDED.prefix_sha256, sql = COALESCE(EXCLUDED.sql, i.sql)"
        " RETURNING txid, prefix_sha256, sql",
};

static const struct query INTENT_READ = {
    .name = "intent_read",
    .is_in_journal = true,
    .parameters = 2,
    .sql =
        "SELECT txid, prefix_sha256, sql FROM {journal}.intent"
        " WHERE ledger_id OPERATOR(pg_catalog.=) $1 AND statement OPERATOR(pg_catalog.=) $2::integer",
};

const struct query JOURNAL_FORGET[JOURNAL_FORGETTING] = {
    { .name = "intent_forget",
      .is_in_journal = true,
      .parameters = 1,
      .sql = "DELETE FROM {journal}.intent WHERE ledger_id OPERATOR(pg_catalog.=) $1" },
    { .name = "backfill_forget",
      .is_in_journal = true,
      .parameters = 1,
      .sql = "DELETE FROM {journal}.backfill WHERE ledger_id OPERATOR(pg_catalog.=) $1" },
    { .name = "session_forget",
      .is_in_journal = true,
      .parameters = 1,
      .sql = "DELETE FROM {journal}.session WHERE ledger_id OPERATOR(pg_catalog.=) $1" },
};

/* Runs statements in a transaction of their own. */
static bool run(const struct journal *journal, const struct batch_item *items, size_t count,
                struct result **out, struct error *err)
{
    return aside_run(journal->conn, journal->key, &(const struct batch) { .items = items, .count = count },
                     out, err);
}

/* What was found, and what is to be said of it. */
struct found {
    char names[PLACES][IDENTIFIER_SIZE];
    struct journal_place places[PLACES];
    char owners[PLACES][IDENTIFIER_SIZE];
    bool has_release[PLACES]; /* the table of origins has all its columns */
    int choice;               /* PLACES = nowhere */
    char database[IDENTIFIER_SIZE];
    char role[IDENTIFIER_SIZE]; /* whose rights these are */
};

/* `tables` are those that will be written, none where it is only read. */
static bool find(const struct journal *journal, unsigned tables, struct found *out, struct error *err)
{
    auto_result struct result *result = NULL;
    char own[IDENTIFIER_SIZE];
    const char *const parameters[] = { own, tables != 0 ? "true" : "false" };
    const struct batch_item item = { .query = &JOURNAL_PLACES, .parameters = parameters };

    journal_own_schema(journal->ledger_schema, own);
    *out = (struct found) { .choice = PLACES };
    text_copy_cut(out->names[PLACE_OWN], IDENTIFIER_SIZE, own);
    text_copy_cut(out->names[PLACE_SHARED], IDENTIFIER_SIZE, JOURNAL_SHARED);
    if (!run(journal, &item, 1, &result, err))
        return false;
    for (int i = 0; i < PLACES; i++) {
        out->places[i] = (struct journal_place) { .exists = result_bool(result, i, 0),
                                                  .is_trusted = result_bool(result, i, 1),
                                                  .is_usable = result_bool(result, i, 2),
                                                  .tables = (unsigned)result_number(result, i, 3),
                                                  .may_create = result_bool(result, i, 4) };
        text_copy_cut(out->owners[i], IDENTIFIER_SIZE, result_text(result, i, 5));
        out->has_release[i] = result_bool(result, i, 9);
    }
    text_copy_cut(out->database, IDENTIFIER_SIZE, result_text(result, 0, 7));
    text_copy_cut(out->role, IDENTIFIER_SIZE, result_text(result, 0, 8));
    out->choice = journal_choose(out->places, tables, result_bool(result, 0, 6));
    if (out->choice != PLACES)
        connection_set_journal(journal->conn, out->names[out->choice]);
    return true;
}

static bool is_there(const struct found *found)
{
    return found->choice != PLACES && found->places[found->choice].tables != 0;
}

/* Creates what is missing of `tables` in the place that was chosen. */
static bool create_missing(const struct journal *journal, const struct found *found, unsigned tables,
                           struct error *err)
{
    const struct journal_place *place = &found->places[found->choice];
    struct batch_item items[JOURNAL_PLACE_ITEMS + JOURNAL_TABLES];
    size_t count = 0;

    while (!place->exists && count < JOURNAL_PLACE_ITEMS) {
        items[count] = (struct batch_item) { .query = &JOURNAL_SCHEMA[count] };
        count++;
    }
    count += journal_add_tables(tables & ~place->tables, items + count);
    return count == 0 || run(journal, items, count, NULL, err);
}

/* What is recorded in some of its tables counts, though others are missing: under the lock, those are
 * created. */
static bool find_whole(const struct journal *journal, struct found *found, bool *exists, struct error *err)
{
    const unsigned tables = journal->key == NULL ? 0 : JOURNAL_EVERY_TABLE;

    if (!find(journal, tables, found, err))
        return false;
    *exists = is_there(found);
    return !*exists || create_missing(journal, found, tables, err);
}

bool journal_exists(const struct journal *journal, bool *exists, struct error *err)
{
    struct found found;

    return find_whole(journal, &found, exists, err);
}

bool journal_find(const struct journal *journal, struct error *err)
{
    struct found found;

    if (!find(journal, 0, &found, err))
        return false;
    return is_there(&found) || error_set(err, ERROR_REFUSED, "there is no journal that this role may read");
}

static bool complete_origin(const struct journal *journal, const struct found *found, struct error *err)
{
    const struct batch_item item = { .query = &COMPLETE_ORIGIN };

    return (found->places[found->choice].tables & JOURNAL_ORIGIN) == 0 || found->has_release[found->choice] ||
           run(journal, &item, 1, NULL, err);
}

static unsigned tables_for(enum journal_use use)
{
    return use == JOURNAL_USE_ORIGINS ? JOURNAL_ORIGIN : JOURNAL_EVERY_TABLE;
}

/* A session that goes from schema to schema has found the shared one for the schema before. One of the
 * schema's own would come first. */
static bool is_shared_one_known(const struct journal *journal, unsigned tables)
{
    char own[IDENTIFIER_SIZE];
    const char *const parameters[] = { own };
    const struct batch_item item = { .query = &OWN_IS_MISSING, .parameters = parameters };
    auto_result struct result *result = NULL;
    struct error ignored;

    if ((connection_shared_journal(journal->conn) & tables) != tables)
        return false;
    journal_own_schema(journal->ledger_schema, own);
    if (!run(journal, &item, 1, &result, &ignored) || !result_bool(result, 0, 0))
        return false;
    connection_set_journal(journal->conn, JOURNAL_SHARED);
    return true;
}

bool journal_prepare(const struct journal *journal, enum journal_use use)
{
    const unsigned tables = tables_for(use);
    struct found found;
    struct error err;

    if (is_shared_one_known(journal, tables))
        return true;
    if (find(journal, tables, &found, &err) && found.choice != PLACES &&
        create_missing(journal, &found, tables, &err) && complete_origin(journal, &found, &err)) {
        if (found.choice == PLACE_SHARED)
            connection_know_shared_journal(journal->conn, tables);
        return true;
    }
    log_debug("without a journal it is not recorded who applies what");
    return false;
}

bool journal_begin(const struct journal *journal, enum journal_use use)
{
    struct batch_item items[JOURNAL_PLACE_ITEMS + JOURNAL_TABLES] = { { .query = &JOURNAL_NEW_SCHEMA },
                                                                      { .query = &JOURNAL_SCHEMA[1] } };
    size_t count = JOURNAL_PLACE_ITEMS + journal_add_tables(tables_for(use), items + JOURNAL_PLACE_ITEMS);
    struct error err;

    connection_set_journal(journal->conn, JOURNAL_SHARED);
    if (run(journal, items, count, NULL, &err)) {
        connection_know_shared_journal(journal->conn, tables_for(use));
        return true;
    }
    log_debug("could not create the journal: %s", err.message);
    return false;
}

static bool refuse(const struct found *found, struct error *err)
{
    auto_text struct text remedy = text_init(sizeof err->hint);
    auto_text struct text why = text_init(1024);

    for (int i = PLACES; i-- > 0;) {
        text_add_string(&why, i + 1 == PLACES ? "" : ", ");
        text_add_format(&why, "schema \"%s\" ", found->names[i]);
        if (found->places[i].exists)
            text_add_format(&why, "belongs to role \"%s\"", found->owners[i]);
        else
            text_add_string(&why, "may not be created");
    }
    error_set(err, ERROR_CLEAN, "there is no schema for the journal: %s", why.at);
    journal_add_remedy(found->places, found->names[PLACE_OWN], found->role, found->database, &remedy);
    return error_hint(err, "%s", remedy.at);
}

bool journal_check(const struct journal *journal, enum journal_use use, struct error *err)
{
    struct found found;

    return find(journal, tables_for(use), &found, err) && (found.choice != PLACES || refuse(&found, err));
}

bool journal_locate(const struct journal *journal, struct batch_item items[JOURNAL_PLACE_ITEMS],
                    size_t *count, struct error *err)
{
    struct found found;

    *count = 0;
    if (!find(journal, JOURNAL_ORIGIN, &found, err))
        return false;
    if (found.choice == PLACES)
        return refuse(&found, err);
    while (!found.places[found.choice].exists && *count < JOURNAL_PLACE_ITEMS) {
        items[*count] = (struct batch_item) { .query = &JOURNAL_SCHEMA[*count] };
        (*count)++;
    }
    return true;
}

bool journal_create(const struct journal *journal, struct error *err)
{
    struct found found;

    if (!find(journal, JOURNAL_EVERY_TABLE, &found, err))
        return false;
    return found.choice == PLACES ? refuse(&found, err)
                                  : create_missing(journal, &found, JOURNAL_EVERY_TABLE, err);
}

bool journal_extend(const struct journal *journal, struct error *err)
{
    const struct batch_item look = { .query = &LOOK_FOR_KEY };
    const struct batch_item add = { .query = &ADD_KEY };

    if (run(journal, &look, 1, NULL, err))
        return true;
    return strcmp(err->sqlstate, "42703") == 0 && run(journal, &add, 1, NULL, err);
}

/* Said once. */
static void warn_of_none(const struct found *found)
{
    static bool has_warned;
    struct error why;

    if (has_warned)
        return;
    has_warned = true;
    (void)refuse(found, &why);
    log_warn("%s: if this run is killed, you will have to clean up what it leaves behind. %s", why.message,
             why.hint);
}

bool journal_open(const struct journal *journal, bool *is_open, struct error *err)
{
    struct found found;

    if (!find(journal, JOURNAL_EVERY_TABLE, &found, err))
        return false;
    *is_open = found.choice != PLACES;
    if (*is_open)
        return create_missing(journal, &found, JOURNAL_EVERY_TABLE, err);
    warn_of_none(&found);
    return true;
}

void intent_free(struct intent *intent)
{
    free(intent->sql);
}

/* Runs a statement that returns an intent. */
static bool fetch(const struct journal *journal, const struct query *query, const char *const *parameters,
                  struct intent *out, struct error *err)
{
    auto_result struct result *result = NULL;
    const struct batch_item item = { .query = query, .parameters = parameters };

    if (!run(journal, &item, 1, &result, err))
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

bool journal_record(const struct journal *journal, const struct journal_entry *entry, struct intent *out,
                    struct error *err)
{
    char number[24];
    const char *const parameters[] = { entry->ledger_id, number, entry->prefix, entry->sql };
    bool exists;

    *out = (struct intent) { .is_known = false };
    (void)snprintf(number, sizeof number, "%zu", entry->statement);
    if (!journal_open(journal, &exists, err))
        return false;
    if (!exists)
        return true;
    return fetch(journal, &INTENT_RECORD, parameters, out, err);
}

bool journal_read(const struct journal *journal, const char *ledger_id, size_t statement, struct intent *out,
                  struct error *err)
{
    char number[24];
    const char *const parameters[] = { ledger_id, number };
    struct found found;
    bool exists;

    *out = (struct intent) { .is_known = false };
    (void)snprintf(number, sizeof number, "%zu", statement);
    if (!find_whole(journal, &found, &exists, err))
        return false;
    if (!exists || (journal->key == NULL && (found.places[found.choice].tables & JOURNAL_INTENT) == 0))
        return true;
    return fetch(journal, &INTENT_READ, parameters, out, err);
}

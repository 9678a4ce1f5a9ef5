#include "dialect/golang_migrate_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "dialect/tool_ledger.h"

enum { NAMES_MOST = 4 * 1024 };

/* clang-format off */

/* A version that is marked as dirty is unfinished. So is each of several: the tool keeps one, and nobody knows
 * which. */
#define ROWS                                                                                                 \
    "SELECT version::pg_catalog.text, NOT dirty AND g.rows OPERATOR(pg_catalog.=) 1, false, NULL,"           \
    " version::pg_catalog.text, NULL, 0,"                                                                    \
    " CASE WHEN g.rows OPERATOR(pg_catalog.>) 1 THEN 'the ledger holds several versions, of which golang-migrate keeps one: delete the others'" \
    "      WHEN dirty THEN 'golang-migrate has marked version ' OPERATOR(pg_catalog.||) version::pg_catalog.text" \
    "        OPERATOR(pg_catalog.||) ' as dirty: a migration to it was begun, and did not end' END,"                 \
    " NULL, NULL FROM {ledger}, (SELECT pg_catalog.count(*) AS rows FROM {ledger}) AS g ORDER BY version"

/* From the version $2 to the version $1; NULL = there was none. */
#define MOVE                                                                                                 \
    "WITH moved AS (UPDATE {ledger} SET version = $1::pg_catalog.int8"                                       \
    " WHERE" TOOL_IS("version", "$2", "int8") " AND NOT dirty RETURNING version),"                           \
    " added AS (INSERT INTO {ledger} (version, dirty) SELECT $1::pg_catalog.int8, false"                     \
    " WHERE $2::pg_catalog.text IS NULL AND NOT EXISTS (SELECT FROM {ledger}) RETURNING version)"            \
    " SELECT 1 OPERATOR(pg_catalog./) ((SELECT pg_catalog.count(*) FROM moved)"                              \
    " OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM added))::pg_catalog.int4"
#define MOVES 2, { ROW_NAME, ROW_ANCHOR }, CHECK_ADDED

/* It still says the version $1, or nothing where that is NULL. */
#define IS_AS_READ                                                                                           \
    "SELECT 1 OPERATOR(pg_catalog./) ($1::pg_catalog.text IS NULL AND NOT EXISTS (SELECT FROM {ledger})"     \
    " OR EXISTS (SELECT FROM {ledger} WHERE" TOOL_IS("version", "$1", "int8") " AND NOT dirty))::pg_catalog.int4"

static const struct ledger_write WRITES[LEDGER_STATEMENTS] = {
    [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied", MOVE, MOVES },
    [LEDGER_INSERT_NEXT] = { "ledger_insert_next", MOVE, MOVES },
    [LEDGER_INSERT_MARKED] = { "ledger_insert_marked", MOVE, MOVES },
    [LEDGER_FINISH] = { "ledger_finish_applied", MOVE, MOVES },
    [LEDGER_INSERT_STARTED] = { "ledger_check_started", IS_AS_READ, 1, { ROW_ANCHOR }, CHECK_NONE },
    [LEDGER_RESUME] = { "ledger_check_resumed", IS_AS_READ, 1, { ROW_ANCHOR }, CHECK_NONE },
    /* As the tool's "force" does with the version before it. */
    [LEDGER_ROLL_BACK] = { "ledger_roll_back_dirty",
        "WITH gone AS (DELETE FROM {ledger} WHERE dirty AND" TOOL_IS("version", "$1", "int8")
        " AND $2::pg_catalog.text IS NULL)"
        " UPDATE {ledger} SET version = $2::pg_catalog.int8, dirty = false"
        " WHERE dirty AND" TOOL_IS("version", "$1", "int8") " AND $2::pg_catalog.text IS NOT NULL",
        2, { ROW_NAME, ROW_BACK }, CHECK_PENDING },
    /* As the tool's "down" leaves it: the version before it, or no row. */
    [LEDGER_REVERT] = { "ledger_revert",
        "WITH gone AS (DELETE FROM {ledger} WHERE NOT dirty AND" TOOL_IS("version", "$1", "int8")
        " AND $2::pg_catalog.text IS NULL RETURNING version),"
        " moved AS (UPDATE {ledger} SET version = $2::pg_catalog.int8 WHERE NOT dirty AND" TOOL_IS("version", "$1", "int8")
        " AND $2::pg_catalog.text IS NOT NULL RETURNING version)"
        " SELECT 1 OPERATOR(pg_catalog./) ((SELECT pg_catalog.count(*) FROM gone)"
        " OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM moved))::pg_catalog.int4",
        2, { ROW_NAME, ROW_BACK }, CHECK_REVERTED },
};

static const struct ledger_write CHECKS[LEDGER_CHECKS] = {
    [CHECK_ADDED] = { .name = "ledger_check_added",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AND"
               " pg_catalog.count(*) FILTER (WHERE" TOOL_IS("version", "$1", "int8") " AND NOT dirty)"
               " OPERATOR(pg_catalog.=) 1)::pg_catalog.int4 FROM {ledger}",
        .count = 1, .takes = { ROW_NAME } },
    [CHECK_PENDING] = { .name = "ledger_check_pending",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (NOT EXISTS (SELECT FROM {ledger}"
               " WHERE dirty OR version OPERATOR(pg_catalog.>=) $1::pg_catalog.int8))::pg_catalog.int4",
        .count = 1, .takes = { ROW_NAME } },
    [CHECK_REVERTED] = { .name = "ledger_check_reverted",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (NOT EXISTS (SELECT FROM {ledger}"
               " WHERE dirty OR version OPERATOR(pg_catalog.>=) $1::pg_catalog.int8))::pg_catalog.int4",
        .count = 1, .takes = { ROW_NAME } },
};

const struct ledger_sql GOLANG_MIGRATE_LEDGER = {
    .create = "CREATE TABLE {ledger} (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
    .names = ROWS,
    .checksums = ROWS,
    .details = ROWS,
    .size = "SELECT pg_catalog.count(*) AS rows, COALESCE(pg_catalog.max(version), 0) AS finished,"
            " pg_catalog.count(*) FILTER (WHERE dirty) AS rolled_back FROM {ledger}",
    .writes = WRITES,
    .checks = CHECKS,
};

/* clang-format on */

static void make_key(const struct ledger_place *place, const char *slash, char out[LOCK_KEY_SIZE])
{
    static const uint32_t salt = 1486364155;
    auto_text struct text names = text_init(NAMES_MOST);

    text_add(&names, place->schema, strlen(place->schema) + 1);
    text_add(&names, place->table, strlen(place->table) + 1);
    text_add_format(&names, "%s%s", slash, place->database);
    (void)snprintf(out, LOCK_KEY_SIZE, "%" PRIu32, crc32_of(text_slice(&names)) * salt);
}

void golang_migrate_keys_of(const struct ledger_place *place, struct tool_keys *out)
{
    make_key(place, "/", out->keys[0]);
    make_key(place, "", out->keys[1]);
    out->count = 2;
}

#include "dialect/dbmate_ledger.h"

#include <stddef.h>

#include "dialect/tool_ledger.h"

/* clang-format off */

#define INSERT "INSERT INTO {ledger} (version) "

/* dbmate compares bytes, whatever the database's collation does. */
static const char READ[] =
    TOOL_ROWS("version", "true", "NULL", "NULL", "NULL") " FROM {ledger} ORDER BY version COLLATE pg_catalog.\"C\"";

static const struct ledger_write WRITES[LEDGER_STATEMENTS] = {
    [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied", INSERT "VALUES ($1::pg_catalog.text)",
        1, { ROW_NAME }, CHECK_ADDED },
    [LEDGER_INSERT_NEXT] = { "ledger_insert_next", INSERT "VALUES ($1::pg_catalog.text)",
        1, { ROW_NAME }, CHECK_ADDED },
    [LEDGER_INSERT_MARKED] = { "ledger_insert_marked",
        INSERT "SELECT $1::pg_catalog.text" TOOL_IF_NOT_THERE("version", "text"),
        1, { ROW_NAME }, CHECK_ADDED },
    [LEDGER_FINISH] = { "ledger_finish_applied", INSERT "VALUES ($1::pg_catalog.text)",
        1, { ROW_NAME }, CHECK_ADDED },
    [LEDGER_REVERT] = { "ledger_revert", TOOL_REVERT("version", "text", "true"),
        1, { ROW_NAME }, CHECK_REVERTED },
};

static const struct ledger_write CHECKS[LEDGER_CHECKS] = {
    [CHECK_ADDED] = { .name = "ledger_check_added", .sql = TOOL_CHECK("version", "text", "true"),
        .count = 2, .takes = { ROW_NAME, ROW_ANCHOR } },
    [CHECK_REVERTED] = { .name = "ledger_check_reverted", .sql = TOOL_CHECK_REVERTED("version", "text"),
        .count = 1, .takes = { ROW_NAME } },
};

const struct ledger_sql DBMATE_LEDGER = {
    .create = "CREATE TABLE {ledger} (version character varying PRIMARY KEY)",
    .names = READ,
    .checksums = READ,
    .details = READ,
    .size = "SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) AS finished, 0 AS rolled_back FROM {ledger}",
    .writes = WRITES,
    .checks = CHECKS,
};

/* clang-format on */

#include "dialect/prisma_ledger.h"

/* clang-format off */

/* Unfinished rows are few: only they are read in full. */
#define ROWS(checksum)                                                                                       \
    "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, " checksum ","              \
    " CASE WHEN finished_at IS NULL THEN id END,"                                                            \
    " CASE WHEN finished_at IS NULL THEN pg_catalog.to_char(started_at AT TIME ZONE 'UTC',"                  \
    "                                                       'YYYY-MM-DD HH24:MI:SS.US') END,"                \
    " CASE WHEN finished_at IS NULL THEN applied_steps_count END,"                                           \
    " CASE WHEN finished_at IS NULL THEN logs END"                                                           \
    " FROM {ledger} ORDER BY started_at"

const struct ledger_sql PRISMA_LEDGER = {
    /* As Prisma creates it, column for column; other tools' readers select by these names. */
    .create =
        "CREATE TABLE {ledger} (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL,"
        " finished_at TIMESTAMP WITH TIME ZONE, migration_name VARCHAR(255) NOT NULL, logs"
        " pg_catalog.text, rolled_back_at TIMESTAMP WITH TIME ZONE,"
        " started_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT pg_catalog.now(), applied_steps_count"
        " INTEGER NOT NULL DEFAULT 0)",
    .glance =
        "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL FROM {ledger}",
    .names = ROWS("NULL"),
    .checksums = ROWS("checksum"),
    .size =
        "SELECT pg_catalog.count(*) AS rows, pg_catalog.count(finished_at) AS finished,"
        " pg_catalog.count(rolled_back_at) AS rolled_back FROM {ledger}",
    .writes = {
        [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied",
            "INSERT INTO {ledger} (id, checksum, migration_name, started_at, finished_at,"
            " applied_steps_count)"
            " VALUES ($1, $2, $3, pg_catalog.to_timestamp($4::pg_catalog.float8),"
            " pg_catalog.clock_timestamp(), 1)",
            4, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_STARTED } },
        [LEDGER_INSERT_STARTED] = { "ledger_insert_started",
            "INSERT INTO {ledger} (id, checksum, migration_name, started_at, logs)"
            " VALUES ($1, $2, $3, pg_catalog.clock_timestamp(), $4)",
            4, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_LOGS } },
        [LEDGER_INSERT_MARKED] = { "ledger_insert_marked",
            "INSERT INTO {ledger} (id, checksum, migration_name, started_at, finished_at, logs)"
            " SELECT $1, $2, $3, t.now, t.now, '' FROM (SELECT pg_catalog.clock_timestamp() AS now) AS t",
            3, { ROW_ID, ROW_CHECKSUM, ROW_NAME } },
        [LEDGER_INSERT_FAILED] = { "ledger_insert_failed",
            "INSERT INTO {ledger} (id, checksum, migration_name, started_at, rolled_back_at, logs)"
            " VALUES ($1, $2, $3, pg_catalog.to_timestamp($4::pg_catalog.float8),"
            " pg_catalog.clock_timestamp(), $5)",
            5, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_STARTED, ROW_LOGS } },
        [LEDGER_REPEAT_FAILED] = { "ledger_repeat_failed",
            "UPDATE {ledger} SET rolled_back_at = pg_catalog.clock_timestamp()"
            " WHERE checksum OPERATOR(pg_catalog.=) $1 AND migration_name OPERATOR(pg_catalog.=) $2"
            " AND logs OPERATOR(pg_catalog.=) $3"
            "   AND finished_at IS NULL AND rolled_back_at IS NOT NULL RETURNING id",
            3, { ROW_CHECKSUM, ROW_NAME, ROW_LOGS } },
        [LEDGER_RESUME] = { "ledger_resume",
            "UPDATE {ledger} SET checksum = $2, logs = $3 WHERE id OPERATOR(pg_catalog.=) $1",
            3, { ROW_ID, ROW_CHECKSUM, ROW_LOGS } },
        [LEDGER_PROGRESS] = { "ledger_progress",
            "UPDATE {ledger} SET applied_steps_count = $2::integer WHERE id OPERATOR(pg_catalog.=) $1",
            2, { ROW_ID, ROW_STEPS } },
        [LEDGER_FINISH] = { "ledger_finish",
            "UPDATE {ledger} SET finished_at = pg_catalog.clock_timestamp(), applied_steps_count = 1,"
            " logs = NULL"
            " WHERE id OPERATOR(pg_catalog.=) $1",
            1, { ROW_ID } },
        [LEDGER_STOP] = { "ledger_stop",
            "UPDATE {ledger} SET logs = $2 WHERE id OPERATOR(pg_catalog.=) $1",
            2, { ROW_ID, ROW_LOGS } },
        [LEDGER_ROLL_BACK] = { "ledger_roll_back",
            "UPDATE {ledger} SET rolled_back_at = pg_catalog.clock_timestamp()"
            " WHERE migration_name OPERATOR(pg_catalog.=) $1 AND finished_at IS NULL"
            " AND rolled_back_at IS NULL RETURNING id",
            1, { ROW_NAME } },
        [LEDGER_ROLL_BACK_ROW] = { "ledger_roll_back_row",
            "UPDATE {ledger} SET rolled_back_at = pg_catalog.clock_timestamp(), logs = $2"
            " WHERE id OPERATOR(pg_catalog.=) $1",
            2, { ROW_ID, ROW_LOGS } },
    },
};

/* clang-format on */

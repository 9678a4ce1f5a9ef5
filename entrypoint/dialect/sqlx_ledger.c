#include "dialect/sqlx_ledger.h"

#include <inttypes.h>
#include <stdio.h>

#include "dialect/tool_ledger.h"

/* clang-format off */

#define IS_VERSION(value) TOOL_IS("version", value, "int8")

/* sqlx leaves a row without success where a server keeps what a failed script has done: on PostgreSQL only
 * somebody else writes one, and sqlx stops at it all the same. */
#define ROWS(checksum, at, took)                                                                             \
    "SELECT version::pg_catalog.text, success, false, " checksum ", version::pg_catalog.text,"               \
    " CASE WHEN NOT success THEN " TOOL_RFC_3339("installed_on") " END, 0,"                                  \
    " CASE WHEN NOT success THEN 'its row in the ledger says success = false: partially applied, to sqlx' END," \
    " " at ", " took " FROM {ledger} ORDER BY installed_on, version"

/* Fails where the version has a row already. */
#define INSERT(took)                                                                                         \
    "WITH written AS (INSERT INTO {ledger} (version, description, success, checksum, execution_time)"        \
    " VALUES ($1::pg_catalog.int8, $2, true, pg_catalog.decode($3, 'hex'), " took ")"                        \
    " ON CONFLICT DO NOTHING RETURNING version)"                                                             \
    " SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)::pg_catalog.int4 FROM written"

/* In nanoseconds; -1 is what sqlx writes until it has measured it. */
#define TOOK                                                                                                 \
    "((EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.float8 OPERATOR(pg_catalog.-)"           \
    " $4::pg_catalog.float8) OPERATOR(pg_catalog.*) 1000000000)::pg_catalog.int8"

/* Since the row of version $4 was written, or the message began. */
#define TOOK_NEXT                                                                                            \
    "(EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"                                \
    " CASE WHEN $4::pg_catalog.text IS NULL THEN pg_catalog.now()"                                           \
    " ELSE (SELECT installed_on FROM {ledger} WHERE" IS_VERSION("$4") ") END)"                               \
    " OPERATOR(pg_catalog.*) 1000000000)::pg_catalog.int8"

static const struct ledger_write WRITES[LEDGER_STATEMENTS] = {
    [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied", INSERT(TOOK),
        4, { ROW_NAME, ROW_DESCRIPTION, ROW_CHECKSUM, ROW_STARTED }, CHECK_ADDED },
    [LEDGER_INSERT_NEXT] = { "ledger_insert_next",
        "INSERT INTO {ledger} (version, description, success, checksum, execution_time, installed_on)"
        " VALUES ($1::pg_catalog.int8, $2, true, pg_catalog.decode($3, 'hex'), " TOOK_NEXT ", pg_catalog.clock_timestamp())",
        4, { ROW_NAME, ROW_DESCRIPTION, ROW_CHECKSUM, ROW_AFTER }, CHECK_ADDED },
    [LEDGER_INSERT_MARKED] = { "ledger_insert_marked", INSERT("-1"),
        3, { ROW_NAME, ROW_DESCRIPTION, ROW_CHECKSUM }, CHECK_ADDED },
    [LEDGER_FINISH] = { "ledger_finish_applied", INSERT("-1"),
        3, { ROW_NAME, ROW_DESCRIPTION, ROW_CHECKSUM }, CHECK_ADDED },
    /* Which is what sqlx tells its users to do with such a row. */
    [LEDGER_ROLL_BACK] = { "ledger_roll_back",
        "DELETE FROM {ledger} WHERE" IS_VERSION("$1") " AND NOT success",
        1, { ROW_NAME }, CHECK_PENDING },
    [LEDGER_ACCEPT] = { "ledger_accept",
        "UPDATE {ledger} SET checksum = pg_catalog.decode($2, 'hex') WHERE" IS_VERSION("$1")
        " AND checksum OPERATOR(pg_catalog.=) pg_catalog.decode($3, 'hex') AND success",
        3, { ROW_NAME, ROW_CHECKSUM, ROW_STORED }, CHECK_APPLIED },
    [LEDGER_REVERT] = { "ledger_revert", TOOL_REVERT("version", "int8", "success"),
        1, { ROW_NAME }, CHECK_REVERTED },
};

static const struct ledger_write CHECKS[LEDGER_CHECKS] = {
    [CHECK_APPLIED] = { .name = "ledger_check_applied",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)::pg_catalog.int4 FROM {ledger} WHERE" IS_VERSION("$1")
               " AND checksum OPERATOR(pg_catalog.=) pg_catalog.decode($2, 'hex') AND success",
        .count = 2, .takes = { ROW_NAME, ROW_CHECKSUM } },
    [CHECK_ADDED] = { .name = "ledger_check_added", .sql = TOOL_CHECK("version", "int8", "success"),
        .count = 2, .takes = { ROW_NAME, ROW_ANCHOR } },
    [CHECK_PENDING] = { .name = "ledger_check_pending",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (NOT EXISTS (SELECT FROM {ledger} WHERE" IS_VERSION("$1")
               " AND NOT success))::pg_catalog.int4",
        .count = 1, .takes = { ROW_NAME } },
    [CHECK_REVERTED] = { .name = "ledger_check_reverted", .sql = TOOL_CHECK_REVERTED("version", "int8"),
        .count = 1, .takes = { ROW_NAME } },
};

#define STORED "pg_catalog.encode(checksum, 'hex')"

const struct ledger_sql SQLX_LEDGER = {
    .create =
        "CREATE TABLE {ledger} (version bigint PRIMARY KEY, description pg_catalog.text NOT NULL,"
        " installed_on timestamp with time zone NOT NULL DEFAULT pg_catalog.now(), success boolean NOT NULL,"
        " checksum pg_catalog.bytea NOT NULL, execution_time bigint NOT NULL)",
    .names = ROWS("NULL", "NULL", "NULL"),
    .checksums = ROWS(STORED, "NULL", "NULL"),
    .details = ROWS(STORED, TOOL_RFC_3339("installed_on"),
                    "CASE WHEN execution_time OPERATOR(pg_catalog.>) 0"
                    " THEN execution_time OPERATOR(pg_catalog./) 1000000 END"),
    .size = "SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER (WHERE success) AS finished,"
            " 0 AS rolled_back FROM {ledger}",
    .writes = WRITES,
    .checks = CHECKS,
};

/* clang-format on */

void sqlx_keys_of(const struct ledger_place *place, struct tool_keys *out)
{
    const int64_t salt = 0x3d32ad9e;

    (void)snprintf(out->keys[0], LOCK_KEY_SIZE, "%" PRId64, salt * crc32_of(slice_of(place->database)));
    out->count = 1;
}

#include "dialect/drizzle_ledger.h"

#include "dialect/tool_ledger.h"

/* clang-format off */

/* A row without a time is one of nobody's. */
#define OF_TIME "created_at::pg_catalog.text"
#define OF_TIMES " FROM {ledger} WHERE created_at IS NOT NULL"

/* One without a name was written by a version before 1.0 since the ledger has names. */
#define OF_NAME "COALESCE(name, created_at::pg_catalog.text, id::pg_catalog.text)"
#define OF_NAMES " FROM {ledger}"

#define READING(key, from, at)                                                                               \
    .names = TOOL_ROWS(key, "true", "NULL", "NULL", "NULL") from " ORDER BY id",                             \
    .checksums = TOOL_ROWS(key, "true", "hash", "NULL", "NULL") from " ORDER BY id",                         \
    .details = TOOL_ROWS(key, "true", "hash", at, "NULL") from " ORDER BY id",                               \
    .size = "SELECT pg_catalog.count(*) AS rows, pg_catalog.count(*) AS finished, 0 AS rolled_back" from

#define ACCEPT(key)                                                                                          \
    "UPDATE {ledger} SET hash = $2::pg_catalog.text WHERE" TOOL_IS(key, "$1", "text")                        \
    " AND hash OPERATOR(pg_catalog.=) $3::pg_catalog.text"

#define CHECK_HASH(key)                                                                                      \
    "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)::pg_catalog.int4 FROM {ledger} WHERE"               \
    TOOL_IS(key, "$1", "text") " AND hash OPERATOR(pg_catalog.=) $2::pg_catalog.text"

#define INSERT "INSERT INTO {ledger} (hash, created_at) "
#define INSERT_NAMED "INSERT INTO {ledger} (name, hash, created_at) "
#define VALUES_OF "VALUES ($1, $2::pg_catalog.int8)"
#define VALUES_OF_NAMED "VALUES ($1, $2, $3::pg_catalog.int8)"

static const struct ledger_write WRITES[LEDGER_STATEMENTS] = {
    [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied", INSERT VALUES_OF,
        2, { ROW_CHECKSUM, ROW_NAME }, CHECK_ADDED },
    [LEDGER_INSERT_NEXT] = { "ledger_insert_next", INSERT VALUES_OF,
        2, { ROW_CHECKSUM, ROW_NAME }, CHECK_ADDED },
    [LEDGER_INSERT_MARKED] = { "ledger_insert_marked",
        INSERT "SELECT $2::pg_catalog.text, $1::pg_catalog.int8" TOOL_IF_NOT_THERE("created_at", "int8"),
        2, { ROW_NAME, ROW_CHECKSUM }, CHECK_ADDED },
    [LEDGER_FINISH] = { "ledger_finish_applied", INSERT VALUES_OF,
        2, { ROW_CHECKSUM, ROW_NAME }, CHECK_ADDED },
    [LEDGER_ACCEPT] = { "ledger_accept", ACCEPT(OF_TIME),
        3, { ROW_NAME, ROW_CHECKSUM, ROW_STORED }, CHECK_APPLIED },
};

static const struct ledger_write CHECKS[LEDGER_CHECKS] = {
    [CHECK_APPLIED] = { .name = "ledger_check_applied", .sql = CHECK_HASH(OF_TIME),
        .count = 2, .takes = { ROW_NAME, ROW_CHECKSUM } },
    [CHECK_ADDED] = { .name = "ledger_check_added", .sql = TOOL_CHECK(OF_TIME, "text", "true"),
        .count = 2, .takes = { ROW_NAME, ROW_ANCHOR } },
};

static const struct ledger_write NAMED_WRITES[LEDGER_STATEMENTS] = {
    [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied", INSERT_NAMED VALUES_OF_NAMED,
        3, { ROW_NAME, ROW_CHECKSUM, ROW_DESCRIPTION }, CHECK_ADDED },
    [LEDGER_INSERT_NEXT] = { "ledger_insert_next",
        "INSERT INTO {ledger} (name, hash, created_at, applied_at)"
        " VALUES ($1, $2, $3::pg_catalog.int8, pg_catalog.clock_timestamp())",
        3, { ROW_NAME, ROW_CHECKSUM, ROW_DESCRIPTION }, CHECK_ADDED },
    [LEDGER_INSERT_MARKED] = { "ledger_insert_marked",
        INSERT_NAMED "SELECT $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.int8"
        TOOL_IF_NOT_THERE("name", "text"),
        3, { ROW_NAME, ROW_CHECKSUM, ROW_DESCRIPTION }, CHECK_ADDED },
    [LEDGER_FINISH] = { "ledger_finish_applied", INSERT_NAMED VALUES_OF_NAMED,
        3, { ROW_NAME, ROW_CHECKSUM, ROW_DESCRIPTION }, CHECK_ADDED },
    [LEDGER_ACCEPT] = { "ledger_accept", ACCEPT(OF_NAME),
        3, { ROW_NAME, ROW_CHECKSUM, ROW_STORED }, CHECK_APPLIED },
};

static const struct ledger_write NAMED_CHECKS[LEDGER_CHECKS] = {
    [CHECK_APPLIED] = { .name = "ledger_check_applied", .sql = CHECK_HASH(OF_NAME),
        .count = 2, .takes = { ROW_NAME, ROW_CHECKSUM } },
    [CHECK_ADDED] = { .name = "ledger_check_added", .sql = TOOL_CHECK(OF_NAME, "text", "true"),
        .count = 2, .takes = { ROW_NAME, ROW_ANCHOR } },
};

const struct ledger_sql DRIZZLE_LEDGER = {
    .create = "CREATE TABLE {ledger} (id serial PRIMARY KEY, hash pg_catalog.text NOT NULL, created_at bigint)",
    READING(OF_TIME, OF_TIMES, "NULL"),
    .writes = WRITES,
    .checks = CHECKS,
};

const struct ledger_sql DRIZZLE_NAMED_LEDGER = {
    .create =
        "CREATE TABLE {ledger} (id serial PRIMARY KEY, hash pg_catalog.text NOT NULL, created_at bigint,"
        " name pg_catalog.text, applied_at timestamp with time zone DEFAULT pg_catalog.now())",
    READING(OF_NAME, OF_NAMES, TOOL_RFC_3339("applied_at")),
    .writes = NAMED_WRITES,
    .checks = NAMED_CHECKS,
};

/* clang-format on */

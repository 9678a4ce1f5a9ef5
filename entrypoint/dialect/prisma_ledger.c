#include "dialect/prisma_ledger.h"

#include "dialect/attempts.h"

/* clang-format off */

#define RFC_3339(time)                                                                                       \
    "pg_catalog.to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

#define ROWS(checksum, which, finished, took)                                                                \
    "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, " checksum ","              \
    " id,"                                                                                                   \
    " CASE WHEN " which " THEN " RFC_3339("started_at") " END,"                                              \
    " CASE WHEN " which " THEN applied_steps_count END,"                                                     \
    " CASE WHEN " which " THEN logs END, " finished ", " took                                                \
    " FROM {ledger} ORDER BY started_at"

/* Unfinished rows are few: only they are read in full by a deployment. */
#define PLAIN_ROWS(checksum) ROWS(checksum, "finished_at IS NULL", "NULL", "NULL")

#define ID_IS(id) " id OPERATOR(pg_catalog.=) " id "::pg_catalog.text"
#define NAME_IS(name) " migration_name OPERATOR(pg_catalog.=) " name "::pg_catalog.text"

/* The end of an INSERT … SELECT. */
#define IF_NOT_THERE(name)                                                                                   \
    " WHERE NOT EXISTS (SELECT FROM {ledger} WHERE" NAME_IS(name) " AND rolled_back_at IS NULL)"
#define IF_AS_READ(name, anchor)                                                                             \
    IF_NOT_THERE(name) " AND (" anchor "::pg_catalog.text IS NULL OR EXISTS (SELECT FROM {ledger} WHERE" ID_IS(anchor) "))"

/* Row $1, if it is unfinished and says `before` steps. RETURNING sees what a trigger has made of it. */
#define UPDATE_ONE(set, before, is_right)                                                                    \
    "WITH written AS (UPDATE {ledger} SET " set " WHERE" ID_IS("$1")                                         \
    " AND finished_at IS NULL AND rolled_back_at IS NULL"                                                    \
    " AND applied_steps_count OPERATOR(pg_catalog.=) " before "::pg_catalog.int4"                            \
    " RETURNING " is_right " AS is_right)"                                                                   \
    " SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) FILTER (WHERE is_right))::pg_catalog.int4 FROM written"

#define CHECK_ONE(is_right)                                                                                  \
    "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)::pg_catalog.int4 FROM {ledger} WHERE" ID_IS("$1")   \
    " AND checksum OPERATOR(pg_catalog.=) $2::pg_catalog.text AND" NAME_IS("$3")                             \
    " AND rolled_back_at IS NULL AND " is_right

/* A row that was unfinished before ours was begun would have been resumed, or have kept ours from beginning. */
#define IS_ALONE(name, id)                                                                                   \
    " NOT EXISTS (SELECT FROM {ledger} WHERE" NAME_IS(name) " AND NOT (" ID_IS(id) ")"                       \
    " AND finished_at IS NULL AND rolled_back_at IS NULL)"

#define COUNT(rows) " pg_catalog.count(*) FILTER (WHERE" rows ")"

/* After an INSERT that asked nothing, in one pass: the name had no row but rolled-back ones and has none but
 * this now, and the anchor, which is another row, is still there. */
#define CHECK_ONLY(is_right, anchor)                                                                         \
    "SELECT 1 OPERATOR(pg_catalog./) ("                                                                      \
    COUNT(NAME_IS("$3") " AND rolled_back_at IS NULL") " OPERATOR(pg_catalog.=) 1 AND"                       \
    COUNT(ID_IS("$1") " AND checksum OPERATOR(pg_catalog.=) $2::pg_catalog.text AND " is_right)              \
    " OPERATOR(pg_catalog.=) 1"                                                                              \
    " AND (" anchor "::pg_catalog.text IS NULL OR" COUNT(ID_IS(anchor)) " OPERATOR(pg_catalog.>) 0)"         \
    ")::pg_catalog.int4 FROM {ledger} WHERE" NAME_IS("$3") " AND rolled_back_at IS NULL OR" ID_IS(anchor)

#define PROGRESS                                                                                             \
    UPDATE_ONE("applied_steps_count = $2::pg_catalog.int4", "$3",                                            \
               "finished_at IS NULL AND applied_steps_count OPERATOR(pg_catalog.=) $2::pg_catalog.int4")

#define SHARED_WRITES \
    [LEDGER_INSERT_STARTED] = { "ledger_insert_started", \
        "INSERT INTO {ledger} (id, checksum, migration_name, started_at, logs)" \
        " SELECT $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.text," \
        "        pg_catalog.clock_timestamp(), $4::pg_catalog.text" IF_AS_READ("$3", "$5"), \
        5, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_LOGS, ROW_ANCHOR }, CHECK_OPEN }, \
    [LEDGER_INSERT_STOPPED] = { "ledger_insert_stopped", \
        "INSERT INTO {ledger} (id, checksum, migration_name, started_at, logs, applied_steps_count)" \
        " SELECT $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.text," \
        "        pg_catalog.clock_timestamp(), $4::pg_catalog.text, $5::pg_catalog.int4" IF_NOT_THERE("$3"), \
        5, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_LOGS, ROW_STEPS }, CHECK_OPEN }, \
    [LEDGER_INSERT_MARKED] = { "ledger_insert_marked", \
        "INSERT INTO {ledger} (id, checksum, migration_name, started_at, finished_at, logs)" \
        " SELECT $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.text, t.now, t.now, ''" \
        "   FROM (SELECT pg_catalog.clock_timestamp() AS now) AS t" IF_NOT_THERE("$3"), \
        3, { ROW_ID, ROW_CHECKSUM, ROW_NAME }, CHECK_APPLIED }, \
    [LEDGER_INSERT_FAILED] = { "ledger_insert_failed", \
        "INSERT INTO {ledger} (id, checksum, migration_name, started_at, rolled_back_at, logs)" \
        " VALUES ($1, $2, $3, pg_catalog.to_timestamp($4::pg_catalog.float8), pg_catalog.clock_timestamp(), $5)", \
        5, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_STARTED, ROW_LOGS }, CHECK_NONE }, \
    [LEDGER_REPEAT_FAILED] = { "ledger_repeat_failed", \
        "UPDATE {ledger} SET rolled_back_at = pg_catalog.clock_timestamp()" \
        " WHERE checksum OPERATOR(pg_catalog.=) $1::pg_catalog.text AND" NAME_IS("$2") \
        "   AND logs OPERATOR(pg_catalog.=) $3::pg_catalog.text" \
        "   AND finished_at IS NULL AND rolled_back_at IS NOT NULL RETURNING id", \
        3, { ROW_CHECKSUM, ROW_NAME, ROW_LOGS }, CHECK_NONE }, \
    [LEDGER_RESUME] = { "ledger_resume", \
        UPDATE_ONE("checksum = $2::pg_catalog.text, logs = $3::pg_catalog.text", "$4", "checksum OPERATOR(pg_catalog.=) $2::pg_catalog.text"), \
        4, { ROW_ID, ROW_CHECKSUM, ROW_LOGS, ROW_BEFORE }, CHECK_NONE }, \
    [LEDGER_PROGRESS] = { "ledger_progress", PROGRESS, 3, { ROW_ID, ROW_STEPS, ROW_BEFORE }, CHECK_NONE }, \
    [LEDGER_COMMIT] = { "ledger_commit", PROGRESS, 3, { ROW_ID, ROW_STEPS, ROW_BEFORE }, CHECK_ALONE }, \
    [LEDGER_STOP] = { "ledger_stop", \
        UPDATE_ONE("logs = $2::pg_catalog.text", "$3", "finished_at IS NULL"), \
        3, { ROW_ID, ROW_LOGS, ROW_BEFORE }, CHECK_NONE }, \
    [LEDGER_ROLL_BACK] = { "ledger_roll_back", \
        "UPDATE {ledger} SET rolled_back_at = pg_catalog.clock_timestamp()" \
        " WHERE" NAME_IS("$1") " AND finished_at IS NULL AND rolled_back_at IS NULL RETURNING id", \
        1, { ROW_NAME }, CHECK_NONE }, \
    [LEDGER_ROLL_BACK_ROW] = { "ledger_roll_back_row", \
        UPDATE_ONE("rolled_back_at = pg_catalog.clock_timestamp(), logs = $2::pg_catalog.text", "$3", "finished_at IS NULL"), \
        3, { ROW_ID, ROW_LOGS, ROW_BEFORE }, CHECK_NONE }, \
    [LEDGER_TAKE_BACK] = { "ledger_take_back", \
        "UPDATE {ledger} SET finished_at = NULL, rolled_back_at = pg_catalog.clock_timestamp()," \
        " logs = $2::pg_catalog.text WHERE" NAME_IS("$1") \
        " AND finished_at IS NOT NULL AND rolled_back_at IS NULL AND applied_steps_count OPERATOR(pg_catalog.=) 0", \
        2, { ROW_NAME, ROW_LOGS }, CHECK_PENDING }, \
    [LEDGER_ACCEPT] = { "ledger_accept", \
        "UPDATE {ledger} SET checksum = $2::pg_catalog.text WHERE" ID_IS("$1") \
        " AND checksum OPERATOR(pg_catalog.=) $3::pg_catalog.text" \
        " AND finished_at IS NOT NULL AND rolled_back_at IS NULL", \
        3, { ROW_ID, ROW_CHECKSUM, ROW_STORED }, CHECK_APPLIED }

/* With finished_at, Prisma would refuse to have it recorded as applied ever again. */
#define REVERT                                                                                               \
    "WITH written AS (UPDATE {ledger} SET finished_at = NULL, rolled_back_at = pg_catalog.clock_timestamp(),"  \
    " applied_steps_count = 0, logs = $3::pg_catalog.text WHERE" NAME_IS("$2")                               \
    " AND finished_at IS NOT NULL AND rolled_back_at IS NULL RETURNING id)"                                  \
    " SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) FILTER (WHERE" ID_IS("$1") "))::pg_catalog.int4 FROM written"

static const struct ledger_write WRITES[LEDGER_STATEMENTS] = {
    SHARED_WRITES,
    [LEDGER_INSERT_APPLIED] = { "ledger_insert_applied",
        "INSERT INTO {ledger} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)"
        " VALUES ($1, $2, $3, pg_catalog.to_timestamp($4::pg_catalog.float8), pg_catalog.clock_timestamp(), 1)",
        4, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_STARTED }, CHECK_ADDED },
    [LEDGER_FINISH] = { "ledger_finish",
        UPDATE_ONE("finished_at = pg_catalog.clock_timestamp(), applied_steps_count = 1, logs = NULL", "$2",
                   "finished_at IS NOT NULL"),
        2, { ROW_ID, ROW_BEFORE }, CHECK_APPLIED },
    [LEDGER_REVERT] = { "ledger_revert", REVERT, 3, { ROW_ID, ROW_NAME, ROW_LOGS }, CHECK_REVERTED },
    [LEDGER_INSERT_NEXT] = { "ledger_insert_next",
        "INSERT INTO {ledger} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)"
        " VALUES ($1, $2, $3, CASE WHEN $4::pg_catalog.text IS NULL THEN pg_catalog.now()"
        " ELSE (SELECT finished_at FROM {ledger} WHERE" ID_IS("$4") ") END, pg_catalog.clock_timestamp(), 1)",
        4, { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_AFTER }, CHECK_WRITTEN },
};

/* An attempt that has succeeded is none any more, and those before it are of no concern: the tool's ledger has
 * the migration. */
#define FORGET(name) "DELETE FROM {ledger} WHERE" NAME_IS(name) " AND rolled_back_at IS NOT NULL"

static const struct ledger_write ATTEMPTS_WRITES[LEDGER_STATEMENTS] = {
    SHARED_WRITES,
    [LEDGER_INSERT_APPLIED] = { "attempts_forget", FORGET("$1"), 1, { ROW_NAME }, CHECK_NONE },
    [LEDGER_FINISH] = { "attempt_finish",
        "WITH written AS (DELETE FROM {ledger} WHERE" ID_IS("$1") " AND finished_at IS NULL AND rolled_back_at IS NULL"
        " AND applied_steps_count OPERATOR(pg_catalog.=) $2::pg_catalog.int4 RETURNING id),"
        " former AS (" FORGET("$3") ")"
        " SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)::pg_catalog.int4 FROM written",
        3, { ROW_ID, ROW_BEFORE, ROW_NAME }, CHECK_NONE },
    /* Whatever its tool has applied in spite of an attempt, the attempt is none of a pending migration. */
    [LEDGER_REVERT] = { "attempt_revert",
        "DELETE FROM {ledger} WHERE" NAME_IS("$1") " AND rolled_back_at IS NULL",
        1, { ROW_NAME }, CHECK_NONE },
};

static const struct ledger_write CHECKS[LEDGER_CHECKS] = {
    [CHECK_APPLIED] = { .name = "ledger_check_applied",
        .sql = CHECK_ONE("finished_at IS NOT NULL AND" IS_ALONE("$3", "$1")),
        .count = 3, .takes = { ROW_ID, ROW_CHECKSUM, ROW_NAME } },
    [CHECK_ADDED] = { .name = "ledger_check_added",
        .sql = CHECK_ONLY("finished_at IS NOT NULL", "$4"),
        .count = 4, .takes = { ROW_ID, ROW_CHECKSUM, ROW_NAME, ROW_ANCHOR } },
    [CHECK_OPEN] = { .name = "ledger_check_open",
        .sql = CHECK_ONE("finished_at IS NULL"),
        .count = 3, .takes = { ROW_ID, ROW_CHECKSUM, ROW_NAME } },
    [CHECK_ALONE] = { .name = "ledger_check_alone",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (" IS_ALONE("$2", "$1") ")::pg_catalog.int4",
        .count = 2, .takes = { ROW_ID, ROW_NAME } },
    [CHECK_WRITTEN] = { .name = "ledger_check_written",
        .sql = CHECK_ONE("finished_at IS NOT NULL"),
        .count = 3, .takes = { ROW_ID, ROW_CHECKSUM, ROW_NAME } },
    [CHECK_NAMES] = { .name = "ledger_check_names",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) OPERATOR(pg_catalog.=) $2::pg_catalog.int8)::pg_catalog.int4"
               " FROM {ledger} AS l WHERE l.migration_name OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])"
               " AND l.rolled_back_at IS NULL",
        .count = 2, .takes = { ROW_NAMES, ROW_COUNT } },
    [CHECK_PLAIN] = { .name = "ledger_check_plain",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) COALESCE((SELECT NOT (c.relhastriggers OR c.relhasrules OR c.relrowsecurity)"
               " FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) (SELECT l.tableoid FROM {ledger} AS l LIMIT 1)),"
               " false)::pg_catalog.int4" },
    [CHECK_PENDING] = { .name = "ledger_check_pending",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (NOT EXISTS (SELECT FROM {ledger} WHERE" NAME_IS("$1")
               " AND rolled_back_at IS NULL))::pg_catalog.int4",
        .count = 1, .takes = { ROW_NAME } },
    [CHECK_REVERTED] = { .name = "ledger_check_reverted",
        .sql = "SELECT 1 OPERATOR(pg_catalog./) (NOT EXISTS (SELECT FROM {ledger} WHERE" NAME_IS("$1")
               " AND rolled_back_at IS NULL))::pg_catalog.int4",
        .count = 1, .takes = { ROW_NAME } },
};

#define READING(writing) \
    .names = PLAIN_ROWS("NULL"), \
    .checksums = PLAIN_ROWS("checksum"), \
    .details = ROWS("checksum", "true", RFC_3339("finished_at"), \
                    "(EXTRACT(epoch FROM finished_at OPERATOR(pg_catalog.-) started_at)" \
                    " OPERATOR(pg_catalog.*) 1000)::bigint"), \
    .size = \
        "SELECT pg_catalog.count(*) AS rows, pg_catalog.count(finished_at) AS finished," \
        " pg_catalog.count(rolled_back_at) AS rolled_back FROM {ledger}", \
    .row = \
        "SELECT pg_catalog.count(*) FILTER (WHERE" ID_IS("$1") ") OPERATOR(pg_catalog.>) 0," \
        " pg_catalog.max(applied_steps_count) FILTER (WHERE" ID_IS("$1") ")," \
        " pg_catalog.count(finished_at) FILTER (WHERE" ID_IS("$1") ") OPERATOR(pg_catalog.>) 0," \
        " pg_catalog.count(rolled_back_at) FILTER (WHERE" ID_IS("$1") ") OPERATOR(pg_catalog.>) 0," \
        " pg_catalog.count(*) FILTER (WHERE" NAME_IS("$2") " AND rolled_back_at IS NULL)," \
        " pg_catalog.count(*) FROM {ledger}", \
    .writes = (writing), \
    .checks = CHECKS

const struct ledger_sql PRISMA_LEDGER = {
    /* As Prisma creates it, column for column; other tools' readers select by these names. */
    .create =
        "CREATE TABLE {ledger} (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL,"
        " finished_at TIMESTAMP WITH TIME ZONE, migration_name VARCHAR(255) NOT NULL, logs"
        " pg_catalog.text, rolled_back_at TIMESTAMP WITH TIME ZONE,"
        " started_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT pg_catalog.now(), applied_steps_count"
        " INTEGER NOT NULL DEFAULT 0)",
    READING(WRITES)
};

const struct ledger_sql ATTEMPTS_LEDGER = {
    .create =
        "CREATE TABLE IF NOT EXISTS {ledger} (id pg_catalog.text PRIMARY KEY, checksum pg_catalog.text NOT NULL,"
        " finished_at timestamp with time zone, migration_name pg_catalog.text NOT NULL, logs pg_catalog.text,"
        " rolled_back_at timestamp with time zone,"
        " started_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),"
        " applied_steps_count integer NOT NULL DEFAULT 0)",
    READING(ATTEMPTS_WRITES)
};

/* clang-format on */

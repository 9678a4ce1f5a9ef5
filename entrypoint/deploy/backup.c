#include "deploy/backup.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "postgres/aside.h"
#include "postgres/query.h"

enum { SQL_MOST = 64 * 1024, AGE_SIZE = 32, ANSWERS_MS = 15000 };

/* So far, clocks may differ; a backup that is later than that is still to be made. */
enum { AHEAD_MOST_MS = 5 * 60 * 1000 };

static const struct query READ_ONLY = { .name = "backup_read_only", .sql = "SET TRANSACTION READ ONLY" };

static const struct query LIMITS = {
    .name = "backup_limits",
    .sql =
        "SELECT pg_catalog.set_config('lock_timeout', '1s', true),"
        "       pg_catalog.set_config('statement_timeout', '10s', true)",
};

#define UTC(time) "pg_catalog.to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* Its age in milliseconds; which segment has failed since, and when; whether there is an archive. */
static const struct query ARCHIVER = {
    .name = "backup_archiver",
    .sql =
        "SELECT (1000 OPERATOR(pg_catalog.*) EXTRACT(epoch FROM pg_catalog.clock_timestamp()"
        "        OPERATOR(pg_catalog.-) a.last_archived_time))::bigint,"
        "       CASE WHEN a.last_failed_time OPERATOR(pg_catalog.>)"
        "            COALESCE(a.last_archived_time, '-infinity') THEN a.last_failed_wal END,"
        "       " UTC("a.last_failed_time") ","
        "       pg_catalog.current_setting('archive_mode') OPERATOR(pg_catalog.=) 'off'"
        "  FROM pg_catalog.pg_stat_archiver AS a",
};

/* What the user's query answers: its type, itself, how many columns it has, and, of a time or an age, how
 * many milliseconds that is. The server casts only what it gets to. */
#define CHECK_HEAD                                                                                           \
    "SELECT pg_catalog.pg_typeof(c.answer)::pg_catalog.text, c.answer::pg_catalog.text,"                     \
    " (SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_object_keys(pg_catalog.to_jsonb(c))),"               \
    " (1000 OPERATOR(pg_catalog.*) EXTRACT(epoch FROM"                                                       \
    " CASE WHEN pg_catalog.pg_typeof(c.answer)::pg_catalog.text OPERATOR(pg_catalog.=) 'interval'"           \
    " THEN c.answer::pg_catalog.text::pg_catalog.interval"                                                   \
    " WHEN pg_catalog.pg_typeof(c.answer)::pg_catalog.text OPERATOR(pg_catalog.~) '^timestamp '"             \
    " THEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"                                              \
    " c.answer::pg_catalog.text::pg_catalog.timestamptz END))::bigint FROM (\n"
#define CHECK_TAIL "\n) AS c (answer) LIMIT 2"

static bool refuse(const char *hint, struct error *err)
{
    error_cause(err, CAUSE_BACKUP);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "%s", hint);
}

/* One query in a transaction of its own; what it sets for the session does not stay. */
static bool ask(struct connection *conn, const struct query *query, struct result **row, struct error *err)
{
    const struct batch_item items[] = { { .query = &READ_ONLY }, { .query = &LIMITS }, { .query = query } };
    bool is_asked;

    connection_limit_answers(conn, ANSWERS_MS);
    is_asked =
        aside_ask(conn, &(const struct batch) { .items = items, .count = array_length(items) }, row, err);
    connection_limit_answers(conn, 0);
    return is_asked;
}

static bool check_age(int64_t age_ms, const struct backup_wish *wish, const char *what, const char *hint,
                      struct error *err)
{
    char age[AGE_SIZE];
    char most[AGE_SIZE];

    if (age_ms <= wish->age_ms)
        return true;
    error_set(err, ERROR_REFUSED, "the last %s is %s old, and --require-backup allows %s", what,
              duration_text(age_ms, age, sizeof age), duration_text(wish->age_ms, most, sizeof most));
    return refuse(hint, err);
}

static bool check_archiver(struct connection *conn, const struct backup_wish *wish, struct error *err)
{
    auto_result struct result *row = NULL;

    if (!ask(conn, &ARCHIVER, &row, err))
        return error_context(err, "asking the archiver about the last backup");
    if (!result_is_null(row, 0, 1)) {
        error_set(err, ERROR_REFUSED, "the server has been failing to archive its WAL since %s: \"%s\"",
                  result_text(row, 0, 2), result_text(row, 0, 1));
        return refuse("Look into the server's log for why archive_command fails; then type the same again.",
                      err);
    }
    if (!result_is_null(row, 0, 0))
        return check_age(result_number(row, 0, 0), wish, "archived WAL",
                         "Make a backup; or, to archive what is written by now: SELECT pg_switch_wal();",
                         err);
    error_set(err, ERROR_REFUSED, "there is no backup that the server knows of: %s",
              result_bool(row, 0, 3) ? "archive_mode is off" : "it has not archived any WAL");
    return refuse(
        result_bool(row, 0, 3)
            ? "If backups are made in another way, say with a query when the last one was: --backup-check SQL"
            : "Make a backup; or, to archive what is written by now: SELECT pg_switch_wal();",
        err);
}

/* A query often ends as it does in a script. */
static struct slice without_semicolon(const char *sql)
{
    struct slice trimmed = slice_trim(slice_of(sql));

    while (trimmed.length > 0 && trimmed.at[trimmed.length - 1] == ';') {
        trimmed.length--;
        trimmed = slice_trim(trimmed);
    }
    return trimmed;
}

static bool refuse_answer(const char *what, struct error *err)
{
    error_set(err, ERROR_REFUSED, "the backup check %s", what);
    return refuse("--backup-check is a query that returns one row with one timestamp, interval or boolean.",
                  err);
}

static bool judge(const struct result *row, const struct backup_wish *wish, struct error *err)
{
    const char *type = result_rows(row) == 1 ? result_text(row, 0, 0) : "";
    const char *hint = "Make a backup; then type the same again.";

    if (result_rows(row) == 0) {
        error_set(err, ERROR_REFUSED, "the backup check finds no backup: it returns no row");
        return refuse(hint, err);
    }
    if (result_rows(row) > 1 || result_number(row, 0, 2) != 1)
        return refuse_answer(result_rows(row) > 1 ? "returns several rows" : "returns several columns", err);
    if (strcmp(type, "boolean") != 0 && result_is_null(row, 0, 3) && !result_is_null(row, 0, 1))
        return refuse_answer("returns no time, age or boolean", err);
    if (result_is_null(row, 0, 1) || strcmp(result_text(row, 0, 1), "false") == 0) {
        error_set(err, ERROR_REFUSED, "the backup check %s",
                  result_is_null(row, 0, 1) ? "finds no backup: it returns null"
                                            : "says that there is no good backup");
        return refuse(hint, err);
    }
    if (strcmp(type, "boolean") == 0)
        return true;
    if (result_number(row, 0, 3) < -AHEAD_MOST_MS)
        return refuse_answer("returns a time that is still to come, or an age below zero", err);
    if (wish->age_ms > 0)
        return check_age(result_number(row, 0, 3), wish, "backup", hint, err);
    error_set(err, ERROR_USAGE, "the backup check returns a time, but not how old the backup may be");
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Add --require-backup AGE, such as 24h; or let the query return a boolean.");
}

static bool check_said(struct connection *conn, const struct backup_wish *wish, struct error *err)
{
    const struct slice said = without_semicolon(wish->check);
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *row = NULL;

    text_add_string(&sql, CHECK_HEAD);
    text_add(&sql, said.at, said.length);
    text_add_string(&sql, CHECK_TAIL);
    if (sql.has_overflowed)
        return refuse_answer("is too long", err);
    if (ask(conn, &(const struct query) { .name = "backup_check", .sql = sql.at }, &row, err))
        return judge(row, wish, err);
    if (err->class == ERROR_LOST || err->class == ERROR_INTERRUPTED)
        return false;
    err->class = ERROR_REFUSED;
    error_message(err, "the backup check failed: %s", err->message);
    return refuse(
        "--backup-check is a query that returns one row with one timestamp, interval or boolean; "
        "it must not change anything, and may take 10 s.",
        err);
}

bool backup_check(struct connection *conn, const struct backup_wish *wish, struct error *err)
{
    return wish->check == NULL ? check_archiver(conn, wish, err) : check_said(conn, wish, err);
}

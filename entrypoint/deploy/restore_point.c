#include "deploy/restore_point.h"

#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "postgres/aside.h"
#include "postgres/query.h"
#include "sql/quote.h"

enum { MARK_LENGTH = 8 };

static const struct query CHECK = {
    .name = "restore_point_check",
    .sql =
        "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE'),"
        "       pg_catalog.current_setting('wal_level') OPERATOR(pg_catalog.=) 'minimal', CURRENT_USER,"
        "       pg_catalog.current_database()",
};

/* now() is the same wherever the server works it out. */
static const struct query MAKE = {
    .name = "restore_point_make",
    .parameters = 1,
    .sql =
        "SELECT n.name, pg_catalog.pg_create_restore_point(n.name),"
        "       pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)"
        "  FROM (SELECT pg_catalog.concat('tidelock_',"
        "          pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYYMMDD\"T\"HH24MISS\"Z\"'),"
        "          '_', $1::pg_catalog.text) AS name) AS n",
};

static const struct query MANNERS = {
    .name = "restore_point_manners",
    .sql =
        "SELECT pg_catalog.set_config('client_min_messages', 'warning', true),"
        "       pg_catalog.set_config('lock_timeout', '1s', true)",
};

static const struct query CREATE = {
    .name = "restore_point_create",
    .is_in_journal = true,
    .sql = "CREATE TABLE IF NOT EXISTS {journal}." RESTORE_POINT_TABLE
           " (name pg_catalog.text PRIMARY KEY,"
           " lsn pg_catalog.pg_lsn NOT NULL, timeline pg_catalog.text NOT NULL,"
           " ledger_schema pg_catalog.text NOT NULL, first_migration pg_catalog.text NOT NULL,"
           " pending integer NOT NULL, host pg_catalog.text NOT NULL, version pg_catalog.text NOT NULL,"
           " made_at timestamp with time zone NOT NULL DEFAULT pg_catalog.clock_timestamp())",
};

static const struct query RECORD = {
    .name = "restore_point_record",
    .is_in_journal = true,
    .parameters = 8,
    .sql = "INSERT INTO {journal}." RESTORE_POINT_TABLE
           " (name, lsn, timeline, ledger_schema, first_migration, pending, host, version)"
           " VALUES ($1, $2::pg_catalog.pg_lsn, $3, $4, $5, $6::integer, $7, $8)",
};

bool restore_point_check(struct connection *conn, struct error *err)
{
    auto_result struct result *row = NULL;
    auto_text struct text role = text_init(sizeof err->hint);

    if (!query_run(conn, &CHECK, NULL, &row, err))
        return error_context(err, "finding out whether a restore point can be made");
    if (result_bool(row, 0, 1)) {
        error_set(err, ERROR_REFUSED, "no restore point can be made: wal_level is minimal");
        error_holds(err, "Nothing was changed.");
        return error_hint(
            err, "As a superuser: ALTER SYSTEM SET wal_level = 'replica'; and then restart the server.");
    }
    if (result_bool(row, 0, 0))
        return true;
    quote_identifier(result_text(row, 0, 2), &role);
    error_set(err, ERROR_DENIED, "role \"%s\" may not make a restore point", result_text(row, 0, 2));
    error_holds(err, "Nothing was changed.");
    return error_hint(err,
                      "As a superuser, in database \"%s\": GRANT EXECUTE ON FUNCTION "
                      "pg_create_restore_point(text) TO %s;",
                      result_text(row, 0, 3), role.at);
}

bool restore_point_make(struct connection *conn, struct restore_point *out, struct error *err)
{
    auto_result struct result *row = NULL;
    char mark[UUID_SIZE];
    const char *const parameters[] = { mark };

    random_uuid(mark);
    mark[MARK_LENGTH] = '\0';
    if (!query_run(conn, &MAKE, parameters, &row, err))
        return error_context(err, "making a restore point");
    text_copy_cut(out->name, sizeof out->name, result_text(row, 0, 0));
    text_copy_cut(out->lsn, sizeof out->lsn, result_text(row, 0, 1));
    text_copy_cut(out->timeline, sizeof out->timeline, result_text(row, 0, 2));
    return true;
}

void restore_point_record(const struct journal *journal, const struct restore_point *point,
                          const struct restore_point_note *note)
{
    char pending[24];
    const char *const values[] = { point->name, point->lsn, point->timeline, journal->ledger_schema,
                                   note->first, pending,    note->host,      note->version };
    const struct batch_item items[] = { { .query = &MANNERS },
                                        { .query = &CREATE },
                                        { .query = &RECORD, .parameters = values } };
    struct error err;

    (void)snprintf(pending, sizeof pending, "%zu", note->pending);
    if (!aside_run(journal->conn, journal->key,
                   &(const struct batch) { .items = items, .count = array_length(items) }, NULL, &err))
        log_warn("the restore point could not be recorded in the journal: %s", err.message);
}

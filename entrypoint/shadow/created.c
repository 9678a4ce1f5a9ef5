#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "config/endpoint.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "shadow/internal.h"
#include "sql/quote.h"

/* The first half of the advisory lock's key; the second is in the database's name. */
#define LOCK_CLASS "1953063022"
#define NAME_BEGIN "tidelock_shadow_"

enum { SQL_MOST = 1024, CLOSING_MS = 30 * 1000 };

static const char MARK[] = "tidelock: a shadow database, of no value once nobody is connected to it";

/* Its lock is held by a session of another database, but pg_locks shows those of all. */
static const struct query LEFT = {
    .name = "shadow_left",
    .parameters = 1,
    .sql =
        "SELECT d.datname FROM pg_catalog.pg_database AS d"
        " WHERE d.datname::pg_catalog.text OPERATOR(pg_catalog.~) '^" NAME_BEGIN
        "[0-9]{1,9}$'"
        "   AND pg_catalog.shobj_description(d.oid, 'pg_database') OPERATOR(pg_catalog.=) $1"
        "   AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks AS l"
        "     WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'"
        "       AND l.classid OPERATOR(pg_catalog.=) '" LOCK_CLASS
        "'::pg_catalog.oid"
        "       AND l.objid::pg_catalog.text OPERATOR(pg_catalog.=)"
        "           pg_catalog.substr(d.datname::pg_catalog.text, pg_catalog.length('" NAME_BEGIN
        "')"
        "             OPERATOR(pg_catalog.+) 1))"
        "   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a"
        "     WHERE a.datname OPERATOR(pg_catalog.=) d.datname)",
};

static const struct query LOCK = {
    .name = "shadow_lock",
    .parameters = 1,
    .sql = "SELECT pg_catalog.pg_advisory_lock(" LOCK_CLASS ", $1::pg_catalog.int4)",
};

/* The live session holds that lock, and is idle for as long as the work in the shadow takes. PostgreSQL 13
 * has no such setting. */
static const struct query MAY_BE_IDLE = {
    .name = "shadow_may_be_idle",
    .sql =
        "SELECT pg_catalog.set_config('idle_session_timeout', '0', false)"
        " WHERE pg_catalog.current_setting('idle_session_timeout', true) IS NOT NULL",
};

static const struct query UNLOCK = {
    .name = "shadow_unlock",
    .parameters = 1,
    .sql = "SELECT pg_catalog.pg_advisory_unlock(" LOCK_CLASS ", $1::pg_catalog.int4)",
};

/* From template0, to which nobody is connected and to which nobody has added anything. */
static const struct query LIKE_LIVE = {
    .name = "shadow_like_live",
    .sql =
        "SELECT pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype"
        "  FROM pg_catalog.pg_database AS d"
        " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()",
};

static bool drop(struct connection *conn, const char *name, bool is_forced, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);

    text_add_string(&sql, "DROP DATABASE IF EXISTS ");
    quote_identifier(name, &sql);
    text_add_string(&sql, is_forced ? " WITH (FORCE)" : "");
    return query_run(conn, &(const struct query) { .name = "shadow_drop", .sql = sql.at }, NULL, NULL, err);
}

/* Somebody else may be dropping it, too. */
static bool drop_left(struct connection *conn, struct error *err)
{
    auto_result struct result *rows = NULL;

    if (!query_run(conn, &LEFT, (const char *const[]) { MARK }, &rows, err))
        return false;
    for (int i = 0; i < result_rows(rows); i++) {
        const char *name = result_text(rows, i, 0);
        struct error ignored;

        if (drop(conn, name, false, &ignored))
            log_info("dropped the shadow database \"%s\", which a run that was killed had left", name);
        else
            log_warn("could not drop \"%s\", which a run that was killed has left: %s", name,
                     ignored.message);
    }
    return true;
}

/* The number in a name of ours. */
static const char *number_of(const char *name)
{
    return name + strlen(NAME_BEGIN);
}

static bool refuse(const struct shadow_request *wanted, struct error *err)
{
    if (strcmp(err->sqlstate, "42501") != 0)
        return error_context(err, "creating a shadow database");
    error_set(err, ERROR_DENIED, "could not create a shadow database: the role may not create databases");
    error_code(err, wanted->dialect->codes.no_shadow);
    return error_hint(err,
                      "Let the role do so (ALTER ROLE … CREATEDB), or give an empty database: "
                      "--shadow URL.");
}

static bool create(const struct shadow_request *wanted, struct shadow *shadow, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *like = NULL;

    if (!query_run(shadow->live, &LIKE_LIVE, NULL, &like, err))
        return false;
    text_add_format(&sql, "CREATE DATABASE %s TEMPLATE template0 ENCODING ", shadow->created);
    quote_literal(result_text(like, 0, 0), &sql);
    text_add_string(&sql, " LC_COLLATE ");
    quote_literal(result_text(like, 0, 1), &sql);
    text_add_string(&sql, " LC_CTYPE ");
    quote_literal(result_text(like, 0, 2), &sql);
    if (query_run(shadow->live, &(const struct query) { .name = "shadow_create", .sql = sql.at }, NULL, NULL,
                  err))
        return true;
    if (err->sqlstate[0] != '\0')
        shadow->created[0] = '\0'; /* the server says so: there is nothing to drop */
    return refuse(wanted, err);
}

/* Nobody would miss a commit of it that a crash of the server takes back. */
static bool mark(const struct shadow *shadow, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);

    text_add_format(&sql, "ALTER DATABASE %s SET synchronous_commit = off; COMMENT ON DATABASE %s IS ",
                    shadow->created, shadow->created);
    quote_literal(MARK, &sql);
    return query_several(shadow->live, &(const struct query) { .name = "shadow_mark", .sql = sql.at }, NULL,
                         0, err);
}

bool created_open(const struct shadow_request *wanted, struct shadow *shadow, struct error *err)
{
    const char *number[1];

    shadow->live = wanted->conn;
    shadow->is_on_live_server = true;
    shadow->config = *wanted->config;
    shadow->endpoint = *wanted->live;
    if (!shadow_check_session(wanted->config, wanted->live, wanted->conn, "DIRECT_URL", err))
        return false;
    if (!drop_left(wanted->conn, err))
        return error_context(err, "looking for what a run that was killed has left");
    (void)snprintf(shadow->created, sizeof shadow->created, NAME_BEGIN "%d",
                   (int)random_below(1000 * 1000 * 1000));
    shadow->name = shadow->created;
    endpoint_set(&shadow->endpoint, "dbname", shadow->created);
    /* The URL's file, read again, would lead elsewhere. */
    shadow->config.direct_url_file = shadow->config.database_url_file = NULL;
    number[0] = number_of(shadow->created);
    return query_run(shadow->live, &MAY_BE_IDLE, NULL, NULL, err) &&
           query_run(shadow->live, &LOCK, number, NULL, err) && create(wanted, shadow, err) &&
           mark(shadow, err) &&
           ((shadow->conn = reach_database(&shadow->config, &shadow->endpoint, NULL, err)) != NULL ||
            error_context(err, "connecting to the shadow database"));
}

/* Nothing of a run that was told to stop may cancel this. */
void created_close(struct shadow *shadow)
{
    const char *const number[] = { number_of(shadow->created) };
    struct error err;

    if (shadow->created[0] == '\0')
        return;
    connection_close(shadow->conn);
    shadow->conn = NULL;
    connection_shield(shadow->live, true);
    connection_hush(shadow->live, true);
    connection_limit_answers(shadow->live, CLOSING_MS);
    if (!drop(shadow->live, shadow->created, true, &err))
        log_warn("could not drop the shadow database \"%s\": %s. The next run does so.", shadow->created,
                 err.message);
    else if (!query_run(shadow->live, &UNLOCK, number, NULL, &err))
        log_debug("could not release the shadow's lock: %s", err.message);
    connection_limit_answers(shadow->live, 0);
    connection_hush(shadow->live, false);
    shadow->created[0] = '\0';
}

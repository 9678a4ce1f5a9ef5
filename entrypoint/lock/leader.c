#include "lock/leader.h"

#include <stdio.h>

#include "base/log.h"
#include "postgres/advisory.h"
#include "postgres/pooler.h"
#include "postgres/query.h"
#include "postgres/session.h"

enum { SQL_MOST = 1024 };

/* The key $1. A 64-bit one is shown as two halves with objsubid 1 (documentation, "pg_locks"). */
#define IS_LEADER_LOCK                                                                                       \
    "l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.objsubid OPERATOR(pg_catalog.=) 1 AND l.granted"     \
    " AND (l.classid::bigint OPERATOR(pg_catalog.<<) 32 OPERATOR(pg_catalog.|) l.objid::bigint)"             \
    " OPERATOR(pg_catalog.=) $1::bigint"

/* A session that holds it before it asks is one that others use as well: null. Most sessions are asked this
 * before their caches hold anything, and a view costs many times what the function below it does. */
#define LEADER_TRIES                                                                                         \
    "SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_lock_status() AS l"                              \
    "   WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND " IS_LEADER_LOCK                  \
    " ) THEN pg_catalog.pg_try_advisory_lock($1) END, "

/* No row, and nothing tried or set, where something stands between us and process number $2. */
#define LEADER_CONDITION                                                                                     \
    " WHERE $2::integer IS NULL OR EXISTS (" POOLER_OWN_SESSION                                              \
    " WHERE a.pid OPERATOR(pg_catalog.=) $2::integer"                                                        \
    " AND a.backend_type OPERATOR(pg_catalog.=) '" POOLER_OWN_TYPE "')"

static const struct query LEADER_TRY = {
    .name = "leader_try",
    .parameters = 2,
    .sql = LEADER_TRIES SESSION_SAFETY_NET_LIST ", " SESSION_CHECKS_SURELY LEADER_CONDITION,
};

/* The server looks for the rights to it before it takes the lock. */
static const struct query LEADER_TRY_ON = {
    .name = "leader_try_on",
    .parameters = 2,
    .sql = LEADER_TRIES IDENTITY_COLUMNS ", " SESSION_SAFETY_NET_LIST
                                         ", " SESSION_CHECKS_SURELY LEADER_CONDITION,
};

static const struct query LEADER_HOLDER = {
    .name = "leader_holder",
    .parameters = 1,
    .sql =
        "SELECT a.pid, a.application_name, COALESCE(a.state, ''),"
        "       COALESCE(pg_catalog.to_char(COALESCE(a.xact_start, a.query_start) AT TIME ZONE 'UTC',"
        "                                   'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''),"
        "       COALESCE(pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''),"
        "       COALESCE(pg_catalog.host(a.client_addr), '')"
        "  FROM pg_catalog.pg_locks AS l"
        "  JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid"
        " WHERE " IS_LEADER_LOCK
        " AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d"
        "        WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) LIMIT 1",
};

bool leader_find(struct connection *conn, const char *key, struct leader *holder, struct error *err)
{
    auto_result struct result *result = NULL;

    *holder = (struct leader) { .pid = 0 };
    if (!query_run(conn, &LEADER_HOLDER, &key, &result, err))
        return false;
    if (result_rows(result) == 0)
        return true;
    holder->pid = (int)result_number(result, 0, 0);
    text_copy_cut(holder->name, sizeof holder->name, result_text(result, 0, 1));
    text_copy_cut(holder->state, sizeof holder->state, result_text(result, 0, 2));
    text_copy_cut(holder->since, sizeof holder->since, result_text(result, 0, 3));
    text_copy_cut(holder->began, sizeof holder->began, result_text(result, 0, 4));
    text_copy_cut(holder->address, sizeof holder->address, result_text(result, 0, 5));
    return true;
}

static enum leader_answer refuse_shared(struct error *err)
{
    error_set(err, ERROR_USAGE, "the database session is not ours alone: it already holds the leader lock");
    error_holds(err, "This run has changed nothing.");
    error_hint(err,
               "Something between here and the database gives one session to several clients, or kept "
               "one that nobody reset. Set DIRECT_URL to the database's own address.");
    return LEADER_UNKNOWN;
}

/* The row of the answer, with the server where that is wanted and known. */
static bool try_on(struct connection *conn, const struct leader_claim *claim, struct result **row,
                   struct error *err)
{
    char pid[16];
    const char *const parameters[] = { claim->key, claim->is_between == NULL ? NULL : pid };

    (void)snprintf(pid, sizeof pid, "%d", connection_backend_pid(conn));
    if (claim->server == NULL)
        return query_run(conn, &LEADER_TRY, parameters, row, err);
    *claim->server = (struct identity) { .system = "" };
    if (query_run(conn, &LEADER_TRY_ON, parameters, row, err)) {
        if (result_rows(*row) > 0)
            *claim->server = identity_of(*row, 1);
        return true;
    }
    if (!identity_is_refused(err))
        return false;
    log_debug("it is not known which server this is: %s", err->message);
    return query_run(conn, &LEADER_TRY, parameters, row, err);
}

enum leader_answer leader_try(struct connection *conn, const struct leader_claim *claim,
                              struct leader *holder, struct error *err)
{
    auto_result struct result *result = NULL;

    if (!try_on(conn, claim, &result, err))
        return LEADER_UNKNOWN;
    if (claim->is_between != NULL)
        *claim->is_between = result_rows(result) == 0;
    if (result_rows(result) == 0)
        return LEADER_UNKNOWN;
    if (result_bool(result, 0, result_columns(result) - 1))
        connection_know_checking(conn, true);
    if (result_is_null(result, 0, 0))
        return refuse_shared(err);
    if (result_bool(result, 0, 0))
        return LEADER_TAKEN;
    return leader_find(conn, claim->key, holder, err) ? LEADER_HELD : LEADER_UNKNOWN;
}

void leader_leave(struct connection *conn)
{
    static const struct query leave = { .name = "leader_leave",
                                        .sql = "SELECT pg_catalog.pg_advisory_unlock_all()" };
    struct error ignored = { .class = ERROR_NONE };

    if (!query_run(conn, &leave, NULL, NULL, &ignored))
        log_debug("the leader lock stays until the session ends: %s", ignored.message);
}

enum leader_answer leader_begin(struct connection *conn, const char *key, struct leader *holder,
                                struct error *err)
{
    static const struct query rollback = { .name = "rollback", .sql = "ROLLBACK" };
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *result = NULL;

    text_add_string(&sql, "BEGIN ISOLATION LEVEL READ COMMITTED;SELECT ");
    advisory_add_try(key, false, &sql);
    if (!query_several(conn, &(const struct query) { .name = "leader_begin", .sql = sql.at }, &result, 1,
                       err))
        return LEADER_UNKNOWN;
    if (result_bool(result, 0, 0))
        return LEADER_TAKEN;
    return query_run(conn, &rollback, NULL, NULL, err) && leader_find(conn, key, holder, err)
               ? LEADER_HELD
               : LEADER_UNKNOWN;
}

#include "postgres/budget.h"

#include <string.h>

#include "postgres/query.h"

/* Client sessions. Without pg_monitor the kind of another role's session is hidden (null); its database and
 * user are not. Autovacuum's workers have no user. From 17 on a session's number is that of its slot, and
 * clients have the first max_connections of these; before, walsenders and subscriptions' workers are known by
 * their pids, while a parallel worker looks like a client. */
#define IS_CLIENT(is_hidden_client)                                                                          \
    "CASE WHEN a.backend_type IS NOT NULL THEN a.backend_type OPERATOR(pg_catalog.=) 'client backend'"       \
    " WHEN a.datid IS NULL OR a.usesysid IS NULL THEN false ELSE " is_hidden_client " END"
#define HAS_SLOT_OF_CLIENT                                                                                    \
    "a.pid OPERATOR(pg_catalog.=) ANY (ARRAY("                                                                \
    "   SELECT pg_catalog.pg_stat_get_backend_pid(i.id) FROM pg_catalog.pg_stat_get_backend_idset() AS i(id)" \
    "   WHERE i.id OPERATOR(pg_catalog.<)"                                                                    \
    "         pg_catalog.current_setting('max_connections')::pg_catalog.int4))"
#define IS_NO_SENDER                                                                                         \
    "a.pid OPERATOR(pg_catalog.<>) ALL (ARRAY("                                                              \
    "   SELECT w.pid FROM pg_catalog.pg_stat_get_wal_senders() AS w"                                         \
    "   UNION ALL"                                                                                           \
    "   SELECT s.pid FROM pg_catalog.pg_stat_get_subscription(NULL) AS s WHERE s.pid IS NOT NULL))"

/* Most sessions are asked this before their caches hold anything: one pass over the function below the view
 * pg_stat_activity takes two thirds of the time. */
#define BUDGET_QUERY(is_hidden_client, is_hidden)                                                            \
    "SELECT pg_catalog.current_setting('max_connections'),"                                                   \
    " pg_catalog.current_setting('superuser_reserved_connections'),"                                          \
    " COALESCE(pg_catalog.current_setting('reserved_connections', true), '0'),"                               \
    " c.used, c.hidden, r.rolname, r.rolsuper,"                                                               \
    " COALESCE(pg_catalog.pg_has_role(r.oid,"                                                                 \
    "   pg_catalog.to_regrole('pg_use_reserved_connections')::pg_catalog.oid, 'USAGE'), false),"              \
    " r.rolconnlimit, c.of_role, c.of_role_here, d.datname, d.datconnlimit, c.here"                           \
    " FROM pg_catalog.pg_roles AS r, pg_catalog.pg_database AS d, LATERAL ("                                  \
    "  SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE " is_hidden "),"                         \
    "   pg_catalog.count(*) FILTER (WHERE a.usesysid OPERATOR(pg_catalog.=) r.oid),"                          \
    "   pg_catalog.count(*) FILTER (WHERE a.usesysid OPERATOR(pg_catalog.=) r.oid"                            \
    "                                 AND a.datid OPERATOR(pg_catalog.=) d.oid),"                             \
    "   pg_catalog.count(*) FILTER (WHERE a.datid OPERATOR(pg_catalog.=) d.oid)"                              \
    "    FROM pg_catalog.pg_stat_get_activity(NULL) AS a WHERE " IS_CLIENT(is_hidden_client)                  \
    " ) AS c (used, hidden, of_role, of_role_here, here)"                                                     \
    " WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER"                                                    \
    "   AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"

static const struct query BUDGET = {
    .name = "budget",
    .sql = BUDGET_QUERY(IS_NO_SENDER, "a.backend_type IS NULL"),
};

enum { SLOTS_SINCE = 170000 };
static const struct query BUDGET_OF_SLOTS = {
    .name = "budget_of_slots",
    .sql = BUDGET_QUERY(HAS_SLOT_OF_CLIENT, "false"),
};

enum {
    COLUMN_MAX,
    COLUMN_SUPERUSER_RESERVED,
    COLUMN_RESERVED,
    COLUMN_USED,
    COLUMN_HIDDEN,
    COLUMN_ROLE,
    COLUMN_IS_SUPERUSER,
    COLUMN_MAY_USE_RESERVED,
    COLUMN_ROLE_LIMIT,
    COLUMN_ROLE_USED,
    COLUMN_ROLE_HERE,
    COLUMN_DATABASE,
    COLUMN_DATABASE_LIMIT,
    COLUMN_DATABASE_USED
};

static const char *keep(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

bool budget_read(struct arena *arena, struct connection *conn, struct budget *out, struct error *err)
{
    auto_result struct result *row = NULL;

    if (!query_run(conn, connection_server_version(conn) >= SLOTS_SINCE ? &BUDGET_OF_SLOTS : &BUDGET, NULL,
                   &row, err))
        return false;
    *out = (struct budget) {
        .max_connections = (int)result_number(row, 0, COLUMN_MAX),
        .superuser_reserved = (int)result_number(row, 0, COLUMN_SUPERUSER_RESERVED),
        .reserved = (int)result_number(row, 0, COLUMN_RESERVED),
        .used = (int)result_number(row, 0, COLUMN_USED),
        .hidden = (int)result_number(row, 0, COLUMN_HIDDEN),
        .role = keep(arena, result_text(row, 0, COLUMN_ROLE)),
        .is_superuser = result_bool(row, 0, COLUMN_IS_SUPERUSER),
        .may_use_reserved = result_bool(row, 0, COLUMN_MAY_USE_RESERVED),
        .role_limit = (int)result_number(row, 0, COLUMN_ROLE_LIMIT),
        .role_used = (int)result_number(row, 0, COLUMN_ROLE_USED),
        .role_here = (int)result_number(row, 0, COLUMN_ROLE_HERE),
        .database = keep(arena, result_text(row, 0, COLUMN_DATABASE)),
        .database_limit = (int)result_number(row, 0, COLUMN_DATABASE_LIMIT),
        .database_used = (int)result_number(row, 0, COLUMN_DATABASE_USED),
    };
    return true;
}

bool budget_is_for_all(struct connection *conn, bool *is_for_all, struct error *err)
{
    static const struct query query = {
        .name = "budget_limits",
        .sql =
            "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_database AS d"
            "                    WHERE d.datconnlimit OPERATOR(pg_catalog.>=) 0)",
    };
    auto_result struct result *row = NULL;

    if (!query_run(conn, &query, NULL, &row, err))
        return false;
    *is_for_all = result_bool(row, 0, 0);
    return true;
}

static int at_least_zero(int number)
{
    return number > 0 ? number : 0;
}

static int smaller(int one, int other)
{
    return one < other ? one : other;
}

/* The slots that this role may use at all. */
static int slots(const struct budget *budget)
{
    if (budget->is_superuser)
        return budget->max_connections;
    return budget->max_connections - budget->superuser_reserved -
           (budget->may_use_reserved ? 0 : budget->reserved);
}

int budget_left(const struct budget *budget)
{
    int left = slots(budget) - budget->used;

    if (budget->is_superuser)
        return left;
    if (budget->role_limit >= 0)
        left = smaller(left, budget->role_limit - budget->role_used);
    if (budget->database_limit >= 0)
        left = smaller(left, budget->database_limit - budget->database_used);
    return left;
}

int budget_free(const struct budget *budget)
{
    return at_least_zero(budget_left(budget));
}

int budget_room(const struct budget *budget)
{
    int left = budget->max_connections - budget->superuser_reserved - budget->reserved - budget->used;

    if (budget->database_limit >= 0)
        left = smaller(left, budget->database_limit - budget->database_used);
    return at_least_zero(left);
}

int budget_share(const struct budget *budget, int replicas, int ours, int headroom)
{
    int of_this_role = budget_left(budget) + budget->role_here;

    return at_least_zero(of_this_role - ours - headroom) / (replicas > 0 ? replicas : 1);
}

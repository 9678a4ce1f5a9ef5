#include "postgres/budget.h"

#include <string.h>

#include "postgres/query.h"

/* Without pg_monitor the kind of a foreign session is hidden (null), its database is not. */
#define IS_CLIENT                                                                                            \
    "(a.backend_type OPERATOR(pg_catalog.=) 'client backend'"                                                \
    " OR (a.backend_type IS NULL AND a.datid IS NOT NULL))"

static const struct query BUDGET = {
    .name = "budget",
    .sql =
        "SELECT pg_catalog.current_setting('max_connections'),"
        " pg_catalog.current_setting('superuser_reserved_connections'),"
        " COALESCE(pg_catalog.current_setting('reserved_connections', true), '0'),"
        " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a WHERE " IS_CLIENT
        "),"
        " r.rolname, r.rolsuper,"
        " EXISTS (SELECT 1 FROM pg_catalog.pg_roles AS g"
        " WHERE g.rolname OPERATOR(pg_catalog.=) 'pg_use_reserved_connections'"
        "            AND pg_catalog.pg_has_role(r.oid, g.oid, 'USAGE')),"
        " r.rolconnlimit,"
        " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a"
        " WHERE a.usesysid OPERATOR(pg_catalog.=) r.oid AND " IS_CLIENT
        "),"
        " d.datname, d.datconnlimit,"
        " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a"
        " WHERE a.datid OPERATOR(pg_catalog.=) d.oid AND " IS_CLIENT
        ")"
        " FROM pg_catalog.pg_roles AS r, pg_catalog.pg_database AS d"
        " WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER"
        " AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()",
};

enum {
    COLUMN_MAX,
    COLUMN_SUPERUSER_RESERVED,
    COLUMN_RESERVED,
    COLUMN_USED,
    COLUMN_ROLE,
    COLUMN_IS_SUPERUSER,
    COLUMN_MAY_USE_RESERVED,
    COLUMN_ROLE_LIMIT,
    COLUMN_ROLE_USED,
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

    if (!query_run(conn, &BUDGET, NULL, &row, err))
        return false;
    *out = (struct budget) {
        .max_connections = (int)result_number(row, 0, COLUMN_MAX),
        .superuser_reserved = (int)result_number(row, 0, COLUMN_SUPERUSER_RESERVED),
        .reserved = (int)result_number(row, 0, COLUMN_RESERVED),
        .used = (int)result_number(row, 0, COLUMN_USED),
        .role = keep(arena, result_text(row, 0, COLUMN_ROLE)),
        .is_superuser = result_bool(row, 0, COLUMN_IS_SUPERUSER),
        .may_use_reserved = result_bool(row, 0, COLUMN_MAY_USE_RESERVED),
        .role_limit = (int)result_number(row, 0, COLUMN_ROLE_LIMIT),
        .role_used = (int)result_number(row, 0, COLUMN_ROLE_USED),
        .database = keep(arena, result_text(row, 0, COLUMN_DATABASE)),
        .database_limit = (int)result_number(row, 0, COLUMN_DATABASE_LIMIT),
        .database_used = (int)result_number(row, 0, COLUMN_DATABASE_USED),
    };
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

/* The same under the limits of the role and of the database, which do not apply to superusers. */
static int within_limits(const struct budget *budget, int left, bool is_role_limited)
{
    if (budget->is_superuser)
        return at_least_zero(left);
    if (is_role_limited && budget->role_limit >= 0)
        left = smaller(left, budget->role_limit - budget->role_used);
    if (budget->database_limit >= 0)
        left = smaller(left, budget->database_limit - budget->database_used);
    return at_least_zero(left);
}

int budget_free(const struct budget *budget)
{
    return within_limits(budget, slots(budget) - budget->used, true);
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
    int of_this_role = budget_free(budget) + budget->role_used;

    return at_least_zero(of_this_role - ours - headroom) / (replicas > 0 ? replicas : 1);
}

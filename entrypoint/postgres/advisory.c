#include "postgres/advisory.h"

#include <string.h>

#include "postgres/session.h"

const struct query ADVISORY_TAKE = {
    .name = "advisory_take",
    .parameters = 1,
    .sql =
        "SELECT 1 OPERATOR(pg_catalog./)"
        " (pg_catalog.pg_try_advisory_xact_lock($1::pg_catalog.int8))::pg_catalog.int4",
};

#define HOLD                                                                                                 \
    "SELECT 1 OPERATOR(pg_catalog./)"                                                                        \
    " (CASE WHEN pg_catalog.pg_try_advisory_xact_lock($1::pg_catalog.int8)"                                  \
    "       THEN pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8) ELSE false END)::pg_catalog.int4"

const struct query ADVISORY_HOLD = { .name = "advisory_hold", .parameters = 1, .sql = HOLD };

const struct query ADVISORY_REGAIN = {
    .name = "advisory_regain",
    .parameters = 3,
    .sql = HOLD ", " SESSION_SAFETY_NET_LIST ", " SESSION_LIMITS_LIST("$2", "$3"),
};

bool advisory_is_taken_by(const struct query *query)
{
    return query == &ADVISORY_TAKE || query == &ADVISORY_HOLD || query == &ADVISORY_REGAIN;
}

void advisory_add_try(const char *key, bool is_session, struct text *sql)
{
    if (is_session)
        text_add_format(sql,
                        "CASE WHEN pg_catalog.pg_try_advisory_xact_lock(%s)"
                        " THEN pg_catalog.pg_try_advisory_lock(%s) ELSE false END",
                        key, key);
    else
        text_add_format(sql, "pg_catalog.pg_try_advisory_xact_lock(%s)", key);
}

bool advisory_lost(struct error *err)
{
    return error_set(err, ERROR_LEADER, "the leader lock was lost: another session has taken it");
}

bool advisory_failed(struct error *err)
{
    return strcmp(err->sqlstate, "22012") == 0 ? advisory_lost(err) : false;
}

/*
 * The sessions that block a table lock: what the server says about them, and how we describe them.
 */
#ifndef TRAFFIC_BLOCKERS_H
#define TRAFFIC_BLOCKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"
#include "postgres/query.h"

/* The lock that a statement of ours waited for. */
struct wanted_lock {
    bool is_known;
    bool is_row;        /* a row's, not a table's */
    char mode[32];      /* as pg_locks names it */
    char oid[16];       /* of the table */
    char relation[192]; /* its name, for people */
};

/* A session (or a prepared transaction) that holds a conflicting lock. What a role without pg_monitor cannot
 * see of others is empty, and `age` negative. */
struct blocker {
    int pid;     /* 0 = a prepared transaction, whose name is in `name` */
    double age;  /* seconds since its transaction began */
    double idle; /* … since its state changed */
    char name[64];
    char user[64];
    char state[32];
    char kind[32]; /* "client backend", "autovacuum worker", … */
    char held[128];
    char started[48];     /* when the session began, as text that the server understands */
    char transaction[32]; /* virtual transaction id: the same as long as its transaction lasts */
    bool is_wraparound;   /* an autovacuum that will not give way */
};

enum { BLOCKERS_MOST = 16 };
struct blockers {
    struct blocker list[BLOCKERS_MOST];
    size_t count;
};

/* The columns that blockers_read() reads, from pg_locks AS l, pg_stat_activity AS a, pg_prepared_xacts AS p;
 * and the matching GROUP BY. */
#define BLOCKER_COLUMNS                                                                                      \
    "COALESCE(a.pid, 0), EXTRACT(epoch"                                                                      \
    " FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start),"                               \
    " EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.state_change),"               \
    " COALESCE(p.gid, a.application_name, ''), COALESCE(a.usename, ''), COALESCE(a.state, ''),"              \
    " COALESCE(a.backend_type, ''), pg_catalog.string_agg(DISTINCT l.mode, ', '),"                           \
    " COALESCE(a.backend_start::pg_catalog.text, ''), l.virtualtransaction,"                                 \
    " COALESCE(a.query OPERATOR(pg_catalog.~~) '%(to prevent wraparound)%', false)"
#define BLOCKER_GROUPS                                                                                       \
    "a.pid, a.xact_start, a.state_change, p.gid, a.application_name, a.usename, a.state, a.backend_type,"    \
    " a.backend_start, l.virtualtransaction, a.query"
enum { BLOCKER_COLUMN_COUNT = 11 };

/* Reads rows whose columns from `first` on are BLOCKER_COLUMNS. */
void blockers_read(const struct result *result, int first, struct blockers *out);

/* Those that hold `wanted_lock->oid` in a mode that conflicts with `wanted_lock->mode`. One round trip. */
must_use bool blockers_find(struct connection *conn, const struct wanted_lock *wanted_lock,
                            struct blockers *out, struct error *err);

/* What may be done about a blocking session; times in milliseconds, 0 = nothing. */
struct blocker_policy {
    int64_t terminate_idle_ms;
    int64_t cancel_ms;  /* its statement; the session after twice that, if cancelling did not help */
    char cancelled[32]; /* the transaction whose statement was cancelled last */
};

/* Does what the policy says, and logs it. Only to the same session in the same state as seen; never to one of
 * a superuser, of a replica, or of tidelock. At most one round trip. */
void blocker_act(struct connection *conn, const struct blocker *blocker, struct blocker_policy *policy);

/* "pid 4711 ("nightly-report", user etl, idle in transaction, transaction open for 12 s), which holds
 * AccessShareLock". */
void blocker_describe(const struct blocker *blocker, struct text *out);

#endif

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
    bool is_row;         /* a row's, not a table's … */
    bool is_transaction; /* … or a transaction's end, for CREATE INDEX CONCURRENTLY and the like */
    char mode[32];       /* as pg_locks names it */
    char oid[16];        /* of the table */
    char holder[32];     /* the transaction that holds the row (its virtual id) */
    char relation[192];  /* its name, for people */
};

enum { GID_SIZE = 200 }; /* of a prepared transaction's name, with its NUL, as the server has it */

/* A session (or a prepared transaction) that holds a conflicting lock. What a role without pg_monitor cannot
 * see of others is empty, and `age` negative. */
struct blocker {
    int pid;     /* 0 = a prepared transaction, whose name is in `name` */
    double age;  /* seconds since its transaction began, or was prepared */
    double idle; /* … since its state changed */
    char name[GID_SIZE];
    char user[64];
    char database[64]; /* of a prepared transaction, if it is not ours */
    char state[32];
    char kind[32];  /* "client backend", "autovacuum worker", … */
    char held[128]; /* modes; empty where its transaction itself is waited for, whose lock says nothing */
    char transaction[32]; /* virtual transaction id: the same as long as its transaction lasts */
    bool is_wraparound;   /* an autovacuum that will not give way */
    bool is_superuser;
    bool waits_for_us;   /* it wants what we hold, while we want what it holds … */
    char statement[200]; /* … and this is what it runs; both only as the watch saw it */
};

enum { BLOCKERS_MOST = 16 };
struct blockers {
    struct blocker list[BLOCKERS_MOST];
    size_t count;
};

/* Whether session a is that of one: it is never ended, since it may be repairing something. */
#define BLOCKER_IS_SUPERUSER                                                                                 \
    "EXISTS (SELECT FROM pg_catalog.pg_roles AS r"                                                           \
    " WHERE r.oid OPERATOR(pg_catalog.=) a.usesysid AND r.rolsuper)"

/* The columns that blockers_read() reads, from pg_locks AS l, pg_stat_activity AS a, and what
 * BLOCKER_PREPARED joins; and the matching GROUP BY. */
#define BLOCKER_COLUMNS                                                                                        \
    "COALESCE(a.pid, 0),"                                                                                      \
    " EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"                                  \
    "                    COALESCE(a.xact_start, p.prepared)),"                                                 \
    " EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.state_change),"                 \
    " COALESCE(p.gid, a.application_name, ''), COALESCE(p.owner, a.usename, ''), COALESCE(a.state, ''),"       \
    " COALESCE(a.backend_type, ''), COALESCE(pg_catalog.string_agg(DISTINCT l.mode, ', ') FILTER ("            \
    "  WHERE l.locktype OPERATOR(pg_catalog.<>) ALL ('{transactionid,virtualxid}'::pg_catalog.text[])), ''),"  \
    " l.virtualtransaction,"                                                                                   \
    " COALESCE(a.query OPERATOR(pg_catalog.~~) '%(to prevent wraparound)%', false),"                           \
    " CASE WHEN p.database OPERATOR(pg_catalog.<>) pg_catalog.current_database() THEN p.database ELSE '' END," \
    " " BLOCKER_IS_SUPERUSER
#define BLOCKER_GROUPS                                                                                       \
    "a.pid, a.xact_start, a.state_change, p.gid, p.prepared, p.owner, p.database, a.application_name,"       \
    " a.usename, a.usesysid, a.state, a.backend_type, l.virtualtransaction, a.query"

/* The prepared transaction that holds l: its locks have no process. What they have as virtualtransaction
 * differs by version, and by whether the server was restarted since; but each also holds the lock of its own
 * transaction id (source: PostgreSQL, lock.c, lock_twophase_recover(); twophase.c, MarkAsPreparingGuts()). */
#define BLOCKER_PREPARED                                                                                     \
    "  LEFT JOIN (pg_catalog.pg_locks AS x JOIN pg_catalog.pg_prepared_xacts AS p"                           \
    "             ON x.locktype OPERATOR(pg_catalog.=) 'transactionid' AND x.granted AND x.pid IS NULL"      \
    "            AND x.transactionid OPERATOR(pg_catalog.=) p.transaction)"                                  \
    "    ON l.pid IS NULL AND x.virtualtransaction OPERATOR(pg_catalog.=) l.virtualtransaction"

/* The modes that conflict with a mode, as an array for the server. */
const char *lock_conflicts(const char *mode);

/* Reads rows whose columns from `first` on are BLOCKER_COLUMNS. */
void blockers_read(const struct result *result, int first, struct blockers *out);

/* Whether whoever queues for `mode` keeps writers from the table, too. */
bool blocker_mode_is_strong(const char *mode);

/* Takes out the prepared transactions whose locks do not conflict with `mode`: pg_blocking_pids() says that
 * there is one in the way, and not which. */
void blockers_drop_harmless(const char *mode, struct blockers *blockers);

/* Those that hold `wanted_lock->oid` in a mode that conflicts with `wanted_lock->mode`; for a row, its holder
 * if that transaction is still there. One round trip. */
must_use bool blockers_find(struct connection *conn, const struct wanted_lock *wanted_lock,
                            struct blockers *out, struct error *err);

/* What may be done about a blocking session; times in milliseconds, 0 = nothing. */
struct blocker_policy {
    int64_t terminate_idle_ms;
    int64_t cancel_ms;  /* its statement; the session after twice that, if cancelling did not help */
    char cancelled[32]; /* the transaction whose statement was cancelled last */
    char spared[32];    /* … and that whose session was not ended though it was time */
};

enum blocker_action { BLOCKER_LEAVE, BLOCKER_CANCEL, BLOCKER_TERMINATE, BLOCKER_ACTIONS };

/* What the policy says about a session that holds that lock; nothing is done about one of a superuser, of a
 * replica, or of tidelock. Pure. */
enum blocker_action blocker_decide(const struct blocker *blocker, const struct wanted_lock *wanted_lock,
                                   const struct blocker_policy *policy);

/* Adds the statement that does it, whose row is true if it was done: only to the same transaction, if it
 * still holds the lock and is in the state that was seen; never to a session of a superuser, of a replica, or
 * of tidelock. The policy remembers a cancel. */
void blocker_add_signal(const struct blocker *blocker, const struct wanted_lock *wanted_lock,
                        struct blocker_policy *policy, struct text *sql);

/* Logs once, and remembers in the policy, that nothing is done about a session for which it would be time,
 * and why. */
void blocker_say_spared(const struct blocker *blocker, const struct wanted_lock *wanted_lock,
                        struct blocker_policy *policy);

/* Why, as what follows "it", if that was said of it; otherwise NULL. */
const char *blocker_spared(const struct blocker *blocker, const struct blocker_policy *policy);

/* Logs that it was done. */
void blocker_say_signal(const struct blocker *blocker, enum blocker_action action);

/* All of that at once: at most one round trip. */
void blocker_act(struct connection *conn, const struct blocker *blocker,
                 const struct wanted_lock *wanted_lock, struct blocker_policy *policy);

/* "pid 4711 ("nightly-report", user etl, idle in transaction, transaction open for 12 s), which holds
 * AccessShareLock", or ", whose transaction has to end". */
void blocker_describe(const struct blocker *blocker, struct text *out);

/* Adds the sessions among them: "pid 4711", "pids 4711, 4712 and 4713", "pids 1, 2, 3 and 4 more", "pid 4711
 * and a prepared transaction"; nothing where there are only prepared transactions. */
void blockers_name(const struct blockers *blockers, struct text *out);

/* Adds what ends it, as a person types it: "SELECT pg_terminate_backend(4711);" or "ROLLBACK PREPARED 'x';
 * (or COMMIT PREPARED 'x';)", with the database where that is another one. */
void blocker_add_remedy(const struct blocker *blocker, struct text *out);

/* The same for the first few, as what follows "to end them": ": SELECT …", or ", as a superuser: SELECT …"
 * where one is a superuser's; nothing where there are none. */
void blockers_add_remedy(const struct blockers *blockers, struct text *out);

#endif

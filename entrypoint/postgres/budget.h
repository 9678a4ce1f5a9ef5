/*
 * The connection budget: how many connections the server still has for us, counted as the server counts.
 *
 * Walsenders, autovacuum and background workers have slots of their own and don't count (PostgreSQL
 * documentation, "max_connections", "reserved_connections").
 */
#ifndef POSTGRES_BUDGET_H
#define POSTGRES_BUDGET_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "postgres/connection.h"

enum { BUDGET_NO_LIMIT = -1 };

struct budget {
    int max_connections;
    int superuser_reserved;
    int reserved; /* for pg_use_reserved_connections; 0 before PostgreSQL 16 */
    int used;     /* client connections, including this one */
    int hidden;   /* of these, sessions that may be parallel workers: before 17 without pg_monitor, the server
                     does not tell */
    const char *role;
    bool is_superuser;
    bool may_use_reserved;
    int role_limit; /* BUDGET_NO_LIMIT, as those below */
    int role_used;  /* in every database */
    int role_here;  /* in this one */
    const char *database;
    int database_limit;
    int database_used;
};

/* One round trip; needs no right but to connect. Texts live in the arena. */
must_use bool budget_read(struct arena *arena, struct connection *conn, struct budget *out,
                          struct error *err);

/* Whether what is counted in one database holds for every other of the server: none has a limit of its own.
 */
must_use bool budget_is_for_all(struct connection *conn, bool *is_for_all, struct error *err);

/* How many connections are left for this role in this database, by the server's slots and by the limits of
 * role and database, which do not apply to superusers; below 0 where a limit was lowered below what is open.
 * Pure. */
int budget_left(const struct budget *budget);

/* How many more connections this role can open to this database now; 0 when there is none. Pure. */
int budget_free(const struct budget *budget);

/* How many are left for unprivileged roles, ignoring role limits: what an application may still open.
 * Pure. */
int budget_room(const struct budget *budget);

/* How many connections each of `replicas` copies of an application may hold, when all connect as this role,
 * `ours` are kept for tidelock and `headroom` stays free; what this role holds in this database now is theirs
 * already. At least 0. Pure. */
int budget_share(const struct budget *budget, int replicas, int ours, int headroom);

#endif

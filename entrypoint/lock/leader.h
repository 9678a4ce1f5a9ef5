/*
 * The leader lock: one process at a time may change the database.
 *
 * It is the advisory lock of the dialect's own tool, by its key, so the two exclude each other. Processes try
 * it and never wait for it: a session that waits inside the server holds a snapshot, and the leader's CREATE
 * INDEX CONCURRENTLY would wait for that snapshot. It lives as long as the session that applies, and the
 * server ends that session when its client is gone.
 */
#ifndef LOCK_LEADER_H
#define LOCK_LEADER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"
#include "postgres/identity.h"
#include "postgres/query.h"

enum leader_answer { LEADER_TAKEN, LEADER_HELD, LEADER_UNKNOWN };

/* Who leads. Without pg_monitor, another role's session shows little more than pid and application_name; the
 * other fields are empty. */
struct leader {
    int pid; /* 0 = the holder has left in the meantime */
    char name[64];
    char state[32];
    char since[40]; /* when its transaction or last statement began (RFC 3339) */
    char began[40]; /* when its session did */
    char address[64];
};

/* What is claimed, and what is asked in the same round trip. */
struct leader_claim {
    const char *key;
    struct identity *server; /* gets which one it is on, once the lock is taken; NULL = not asked */
    bool *is_between; /* gets whether something other than the server answers (pooler.h): then nothing is
                         tried, the answer is LEADER_UNKNOWN without an error; NULL = that is known */
};

/* At most two round trips on `conn`, which must be idle and must not have tried before: a session that holds
 * it already is shared with others, ERROR_USAGE. On LEADER_HELD fills `*holder`, on LEADER_UNKNOWN `*err`. A
 * role that may not ask for the server takes one round trip more. */
must_use enum leader_answer leader_try(struct connection *conn, const struct leader_claim *claim,
                                       struct leader *holder, struct error *err);

/* Before a session ends that was ours alone: the server takes a moment to notice its end. */
void leader_leave(struct connection *conn);

/* Begins a transaction that holds it until its end. LEADER_TAKEN leaves the transaction open, at READ
 * COMMITTED so that what follows sees what the holder before us committed; anything else ends it. */
must_use enum leader_answer leader_begin(struct connection *conn, const char *key, struct leader *holder,
                                         struct error *err);

/* Whether anybody holds it now. One round trip, read-only. */
must_use bool leader_find(struct connection *conn, const char *key, struct leader *holder, struct error *err);

#endif

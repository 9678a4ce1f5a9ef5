/*
 * The settings that a session of ours runs with: one table.
 *
 * Set with SET LOCAL inside each transaction, so that RESET ALL after a script restores the settings of the
 * role and the database and removes those of the script. Not passed as startup options: poolers refuse those.
 */
#ifndef POSTGRES_SESSION_H
#define POSTGRES_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "postgres/connection.h"
#include "postgres/query.h"

struct session_settings {
    const char *search_path;        /* one schema's name, not quoted; NULL = leave the role's */
    int64_t lock_timeout_ms;        /* -1 = leave the role's, 0 = none */
    int64_t statement_timeout_ms;   /* -1 = leave the role's, 0 = none */
    int64_t transaction_timeout_ms; /* 0 = leave the role's; from version 17 on */
    bool can_check_connection;      /* see session_can_check_connection() */
};

/* Adds "SET [LOCAL] name = value;" for every setting. */
void session_settings_add(const struct session_settings *settings, bool is_local, struct text *out);

/* Whether the server can notice in the middle of a statement that the client is gone
 * (client_connection_check_interval: version 14, and a platform that reports closed sockets). One round trip
 * unless that is known, which sets nothing; a session that cannot is not an error. */
bool session_can_check_connection(struct connection *conn);

/* A column that is null unless the server surely can: on Linux it does, and what it says of its version names
 * the platform. */
#define SESSION_CHECKS_SURELY                                                                                \
    "CASE WHEN pg_catalog.current_setting('client_connection_check_interval', true) IS NOT NULL"             \
    " AND pg_catalog.version() OPERATOR(pg_catalog.~~) '%linux%' THEN true END"

/* The same as a statement of a message, which fails where the server cannot. From that version on. */
enum { SESSION_CHECKING_SINCE = 140000 };
#define SESSION_CHECK_CONNECTION                                                                             \
    "SELECT pg_catalog.set_config('client_connection_check_interval', '1s', true)"

/* What a session that holds the leader lock lets the server do, so that the lock never outlives us: end a
 * connection whose other side does not answer for 13 s (a cut cable, a node that died), and a session that is
 * idle for a minute (a frozen process, whose kernel answers all the same; version 14). Between two statements
 * of ours pass milliseconds. A list for SELECT, and a statement; any number of times: RESET ALL takes it
 * back.
 */
#define SESSION_SAFETY_NET_LIST                                                                              \
    "pg_catalog.set_config('tcp_keepalives_idle', '5', false),"                                              \
    " pg_catalog.set_config('tcp_keepalives_interval', '2', false),"                                         \
    " pg_catalog.set_config('tcp_keepalives_count', '4', false),"                                            \
    " pg_catalog.set_config('tcp_user_timeout', '12s', false),"                                              \
    " CASE WHEN pg_catalog.current_setting('idle_session_timeout', true) IS NOT NULL"                        \
    " THEN pg_catalog.set_config('idle_session_timeout', '60s', false) END"
extern const struct query SESSION_SAFETY_NET;

/* Adds what a transaction of ours begins its own writes with in a session that will go on to the next one at
 * once: the script's settings and role are taken back, and the safety net and these limits set again. */
void session_regain_add(const struct session_settings *limits, int server_version, struct text *out);

/* What limits our own writes after a script until the transaction ends, whatever it has set: the parameters
 * are milliseconds, and whether to look for a client that is gone. A list for SELECT. */
#define SESSION_LIMITS_LIST(lock_timeout, can_check)                                                         \
    "pg_catalog.set_config('lock_timeout', " lock_timeout                                                    \
    ", true),"                                                                                               \
    " CASE WHEN " can_check                                                                                  \
    "::boolean"                                                                                              \
    " THEN pg_catalog.set_config('client_connection_check_interval', '1s', true) END"

/* Cleans up what a script may have left in the session, except settings, role and prepared statements:
 * cursors, LISTEN, temporary tables, sequence caches. Each may run in a transaction. */
enum { SESSION_CLEANUPS = 4 };
extern const struct query SESSION_CLEANUP[SESSION_CLEANUPS];

/* Adds all of that, and prepared statements, as text. DISCARD ALL would also drop the leader lock. */
void session_cleanup_add(struct text *out);

/* Lets deferred constraints and triggers fire: before a COMMIT, while the script's own settings and role are
 * still in force. */
extern const struct query SESSION_CONSTRAINTS;

/* Suspends the script's role until the end of a transaction, for our own writes: SET LOCAL after SET in one
 * transaction hides it only until COMMIT (documentation, "SET"). The default is the role that the session
 * began with. */
enum { SESSION_ASIDES = 2 };
extern const struct query SESSION_ASIDE[SESSION_ASIDES];

#endif

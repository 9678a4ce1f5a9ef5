/*
 * Which server a session is on: a standby that is promoted and a backup that is restored keep the system
 * identifier, and begin another timeline.
 */
#ifndef POSTGRES_IDENTITY_H
#define POSTGRES_IDENTITY_H

#include <stdbool.h>

#include "base/error.h"
#include "postgres/connection.h"
#include "postgres/query.h"

/* Empty parts are not known: a role may have been denied the functions that tell them. */
struct identity {
    char system[24];
    char timeline[9]; /* hexadecimal, as in names of WAL files */
};

/* Two columns for a query that is sent anyway, which the server refuses to a role that lacks a right; and
 * their values. */
#define IDENTITY_COLUMNS                                                                                     \
    "(SELECT s.system_identifier FROM pg_catalog.pg_control_system() AS s),"                                 \
    " CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN"                                                     \
    " pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END"
struct identity identity_of(const struct result *row, int column);

/* Whether `err` says that the server cannot answer these two. */
bool identity_is_refused(const struct error *err);

/* Asks. Best effort: what is not known is empty. */
struct identity identity_ask(struct connection *conn);

/* What the two say of each other; what is not known of one is no difference. */
bool identity_is_other_system(const struct identity *one, const struct identity *other);
bool identity_is_other_timeline(const struct identity *one, const struct identity *other);

#endif

/*
 * Whose objects we trust: what belongs to somebody else can run code with our rights, or tell lies.
 *
 * Trusted are we ourselves (the role that logged in, and the one that --set-role names), the roles that we
 * may act as, the database's owner, and superusers. A superuser may act as every role, which says nothing
 * about whom it trusts; nor does it that, from version 16 on, whoever creates a role becomes a member that
 * can neither use nor become it.
 */
#ifndef HISTORY_OWNER_H
#define HISTORY_OWNER_H

#include "postgres/query.h" /* these stand in the texts of its queries */

/* An SQL condition; `owner` is an expression for the role's oid. Functions rather than tables, because every
 * start pays for it. A superuser is a member of every role, also of the one that initdb made, whose oid is 10
 * (the server's BOOTSTRAP_SUPERUSERID). */
#define OWNER_IS_TRUSTED(owner)                                                                              \
    "(pg_catalog.pg_get_userbyid(" owner                                                                     \
    ") OPERATOR(pg_catalog.=) ANY (ARRAY[CURRENT_USER, SESSION_USER, 'pg_database_owner'])"                  \
    " OR pg_catalog.pg_has_role(" owner                                                                      \
    ", 10::pg_catalog.oid, 'MEMBER')"                                                                        \
    " OR pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'off'"                            \
    "    AND pg_catalog.pg_has_role(" owner                                                                  \
    ", CASE WHEN pg_catalog.current_setting('server_version_num')"                                           \
    "        ::integer OPERATOR(pg_catalog.<) 160000 THEN 'MEMBER' ELSE 'USAGE, SET' END)"                   \
    " OR " owner                                                                                             \
    " OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database AS d"                              \
    "     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))"

/* The end of a query for the triggers (t) of table `oid` whose functions (f) belong to somebody else: who was
 * granted TRIGGER can plant one in a table of ours. */
#define TRIGGERS_OF_STRANGERS(oid)                                                                           \
    " FROM pg_catalog.pg_trigger AS t"                                                                       \
    " JOIN pg_catalog.pg_proc AS f ON f.oid OPERATOR(pg_catalog.=) t.tgfoid"                                 \
    " WHERE t.tgrelid OPERATOR(pg_catalog.=) " oid " AND NOT " OWNER_IS_TRUSTED("f.proowner")

#endif

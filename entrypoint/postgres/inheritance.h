/*
 * A part of queries: a table with its partitions and with those that inherit from it.
 */
#ifndef POSTGRES_INHERITANCE_H
#define POSTGRES_INHERITANCE_H

#include "postgres/query.h" /* it stands in the texts of its queries */

/* WITH RECURSIVE …: tree (oid) holds what the query `root` selects, one oid or none, and all below it, each
 * once. */
#define INHERITANCE_TREE(root)                                                                               \
    "tree (oid) AS (" root                                                                                   \
    " UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i"                                              \
    " JOIN tree AS t ON t.oid OPERATOR(pg_catalog.=) i.inhparent)"

#endif

/*
 * The shape of a table: what tells whose ledger it is (known_ledger.h), in the texts of queries and out of
 * their rows.
 */
#ifndef HISTORY_SHAPE_H
#define HISTORY_SHAPE_H

#include "dialect/known_ledger.h"
#include "postgres/query.h"

/* Columns about table c. A dropped column has no type any more. */
enum { SHAPE_SCHEMA, SHAPE_TABLE, SHAPE_COLUMNS, SHAPE_HAS_BESIDE };
#define SHAPE_OF_TABLE                                                                                       \
    "(SELECT n.nspname FROM pg_catalog.pg_namespace AS n"                                                    \
    "  WHERE n.oid OPERATOR(pg_catalog.=) c.relnamespace), c.relname,"                                       \
    " (SELECT pg_catalog.string_agg(a.attname::pg_catalog.text OPERATOR(pg_catalog.||) ':'"                  \
    "         OPERATOR(pg_catalog.||) t.typcategory::pg_catalog.text, ' ' ORDER BY a.attnum)"                \
    "    FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t"                                     \
    "      ON t.oid OPERATOR(pg_catalog.=) a.atttypid"                                                       \
    "   WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0),"               \
    " EXISTS (SELECT FROM pg_catalog.pg_class AS b"                                                          \
    "  WHERE b.relnamespace OPERATOR(pg_catalog.=) c.relnamespace"                                           \
    "    AND b.relname OPERATOR(pg_catalog.=) '" KNOWN_LEDGER_BESIDE "')"

/* They begin at `column`. The texts live as long as the result. */
struct table_look shape_of(const struct result *result, int row, int column);

#endif

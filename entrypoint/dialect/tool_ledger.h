/*
 * SQL that the ledgers of several tools are made of. Of this room.
 *
 * `key` is an expression over the ledger's columns, compared as `type`; $1 is the key.
 */
#ifndef DIALECT_TOOL_LEDGER_H
#define DIALECT_TOOL_LEDGER_H

#include "dialect/ledger_sql.h"

#define TOOL_RFC_3339(time)                                                                                  \
    "pg_catalog.to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

#define TOOL_IS(key, value, type) " " key " OPERATOR(pg_catalog.=) " value "::pg_catalog." type

/* The columns of enum ledger_column, of applied rows (`finished` is a boolean, false where the tool has
 * marked a failure; `at` and `took` NULL or texts of its own), and what they are selected FROM. */
#define TOOL_ROWS(key, finished, checksum, at, took)                                                         \
    "SELECT " key ", " finished ", false, " checksum ", " key ", NULL, 0, NULL, " at ", " took

/* The check of a row that was written: there is one of the key $1, and the anchor $2 is still there, if there
 * is one. `applied` is a condition. */
#define TOOL_CHECK(key, type, applied)                                                                       \
    "SELECT 1 OPERATOR(pg_catalog./) ((pg_catalog.count(*) FILTER (WHERE" TOOL_IS(key, "$1", type)           \
    " AND " applied ")) OPERATOR(pg_catalog.=) 1 AND ($2::pg_catalog.text IS NULL OR"                        \
    " pg_catalog.count(*) FILTER (WHERE" TOOL_IS(key, "$2", type) ") OPERATOR(pg_catalog.>) 0)"              \
    ")::pg_catalog.int4 FROM {ledger} WHERE" TOOL_IS(key, "$1", type) " OR" TOOL_IS(key, "$2", type)

/* Takes out the rows of the key $1, of which at least one has to be applied, and its check: none is left. */
#define TOOL_REVERT(key, type, applied)                                                                          \
    "WITH written AS (DELETE FROM {ledger} WHERE" TOOL_IS(                                                       \
        key, "$1",                                                                                               \
        type) " RETURNING " applied                                                                              \
              " AS was_applied) SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) FILTER (WHERE was_applied)" \
              " OPERATOR(pg_catalog.>) 0)::pg_catalog.int4 FROM written"

#define TOOL_CHECK_REVERTED(key, type)                                                                       \
    "SELECT 1 OPERATOR(pg_catalog./) (NOT EXISTS (SELECT FROM {ledger} WHERE" TOOL_IS(                       \
        key, "$1", type) "))::pg_catalog.int4"

#define TOOL_IF_NOT_THERE(key, type)                                                                         \
    " WHERE NOT EXISTS (SELECT FROM {ledger} WHERE" TOOL_IS(key, "$1", type) ")"

#endif

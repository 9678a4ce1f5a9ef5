/*
 * What CREATE INDEX and DROP INDEX are about: names as the catalogs hold them.
 */
#ifndef SQL_INDEX_STATEMENT_H
#define SQL_INDEX_STATEMENT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "sql/name.h"

struct index_statement {
    bool is_drop;
    bool is_concurrent;
    bool is_unique;
    bool has_guard; /* IF NOT EXISTS, IF EXISTS */
    /* Plain text, unquoted and in the case that the server uses; empty if the statement does not say. */
    char schema[IDENTIFIER_SIZE]; /* only for DROP: a new index is in its table's schema */
    char name[IDENTIFIER_SIZE];   /* empty in CREATE INDEX ON …: the server chooses one */
    char table_schema[IDENTIFIER_SIZE];
    char table[IDENTIFIER_SIZE];
    size_t rest; /* CREATE: the byte offset after the table's name */
};

/* Reads one statement. False, and `out` untouched, when it is neither, drops several indexes, or has a name
 * written U&"…" or longer than db.schema.name. */
must_use bool index_statement_parse(struct slice statement, struct index_statement *out);

#endif

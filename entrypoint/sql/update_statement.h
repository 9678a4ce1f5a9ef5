/*
 * An UPDATE, taken apart as far as it takes to put a range of keys into it.
 */
#ifndef SQL_UPDATE_STATEMENT_H
#define SQL_UPDATE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "sql/name.h"

enum { UPDATE_COLUMNS_MOST = 32 };

struct update_statement {
    char schema[IDENTIFIER_SIZE]; /* empty where it is not said */
    char table[IDENTIFIER_SIZE];
    char alias[IDENTIFIER_SIZE]; /* what its columns are qualified with: the alias, or the table's name */
    char columns[UPDATE_COLUMNS_MOST][IDENTIFIER_SIZE]; /* what it sets */
    size_t column_count;
    bool has_where;
    size_t where; /* then: the byte offset of its condition, behind WHERE */
};

/* False, with a message and no place, for anything else, and for what can't be done in parts: WITH,
 * RETURNING, WHERE CURRENT OF, more columns than that. */
must_use bool update_statement_parse(struct slice statement, struct update_statement *out, struct error *err);

/* Adds the statement with `range`, a condition, beside its own. */
void update_statement_add(struct slice statement, const struct update_statement *update, const char *range,
                          struct text *out);

#endif

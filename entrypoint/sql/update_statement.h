/*
 * An UPDATE, parsed as far as needed to add a range of keys to it.
 */
#ifndef SQL_UPDATE_STATEMENT_H
#define SQL_UPDATE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "sql/name.h"

enum { UPDATE_COLUMNS_MOST = 256 };

struct update_statement {
    char schema[IDENTIFIER_SIZE]; /* empty = not given */
    char table[IDENTIFIER_SIZE];
    bool is_only;                /* ONLY: without partitions and children */
    char alias[IDENTIFIER_SIZE]; /* what its columns are qualified with: the alias, or the table's name */
    char columns[UPDATE_COLUMNS_MOST][IDENTIFIER_SIZE]; /* what it sets */
    size_t column_count;
    bool has_where;
    size_t where; /* if so: the byte offset of its condition, after WHERE */
};

/* False, with a message and no place, for any other statement, and for what cannot be done in batches: WITH,
 * RETURNING, WHERE CURRENT OF, more columns than that. `has_standard_strings` as for a scanner. */
must_use bool update_statement_parse(struct slice statement, bool has_standard_strings,
                                     struct update_statement *out, struct error *err);

/* Whether the condition is that an assigned column is still NULL, alone or with others after AND: then rows
 * that are done no longer meet it, and going over the table again changes none of them twice. */
bool update_statement_is_repeatable(struct slice statement, bool has_standard_strings,
                                    const struct update_statement *update);

/* Adds the statement with the condition `range` in addition to its own. */
void update_statement_add(struct slice statement, const struct update_statement *update, const char *range,
                          struct text *out);

#endif

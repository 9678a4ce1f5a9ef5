/*
 * What a statement creates, as far as names and columns tell: to look whether the database holds it already.
 * Pure.
 */
#ifndef SQL_CREATION_H
#define SQL_CREATION_H

#include <stdbool.h>

#include "base/text.h"
#include "sql/name.h"
#include "sql/scan.h"

enum creation_kind {
    CREATION_RELATION, /* a table, view, materialized view, sequence or index */
    CREATION_COLUMN,
    CREATION_TYPE, /* or a domain */
    CREATION_SCHEMA,
    CREATION_EXTENSION,
    CREATION_KINDS
};

extern const char *const CREATION_NAMES[];

struct creation {
    enum creation_kind kind;
    char schema[IDENTIFIER_SIZE]; /* empty if the statement does not say; of an index always empty */
    char name[IDENTIFIER_SIZE];   /* of a column: its table */
    char column[IDENTIFIER_SIZE];
    struct slice type;      /* of a column, as it is written; empty if it is not */
    bool has_columns;       /* a table with a list of them, for … */
    struct scanner columns; /* … creation_next_column() */
};

/* Reads CREATE of those kinds, and ALTER TABLE … ADD COLUMN, its first column. False, and `out` untouched,
 * for any other statement, for one that names nothing (CREATE INDEX ON …), for temporary objects. */
must_use bool creation_parse(struct slice statement, struct creation *out);

/* The next column of the table that CREATE TABLE lists; false behind the last. */
must_use bool creation_next_column(struct creation *table, struct creation *out);

#endif

/*
 * What a statement creates, as far as a name tells: to look whether the database holds it already. Pure.
 */
#ifndef SQL_CREATION_H
#define SQL_CREATION_H

#include <stdbool.h>

#include "base/text.h"
#include "sql/name.h"

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
};

/* Reads CREATE of those kinds, and ALTER TABLE … ADD COLUMN, its first column. False, and `out` untouched,
 * for any other statement, for one that names nothing (CREATE INDEX ON …), for temporary objects. */
must_use bool creation_parse(struct slice statement, struct creation *out);

#endif

/*
 * Facts in smaller pieces, each of which one statement makes: a column's default, the owner of a sequence,
 * what a table is a partition of. Pure.
 */
#ifndef SCHEMA_SCRIPT_SPLIT_H
#define SCHEMA_SCRIPT_SPLIT_H

#include "base/memory.h"
#include "schema/facts.h"

/* A column as its fact says it. Slices of the fact; empty = not said. */
struct column_text {
    struct slice type;
    struct slice collation;
    struct slice storage;         /* the letter of the catalog */
    struct slice statistics;      /* the target */
    struct slice options;         /* "n_distinct=5, …" */
    struct slice foreign_options; /* the same, of a foreign table */
    struct slice generated;       /* "stored" or "virtual" */
    struct slice identity;        /* "always" or "by default" */
    const char *expression;       /* of the default, or from which it is generated; NULL = none */
    bool is_not_null;
};

void column_text_read(const char *definition, struct column_text *out);

/* The part of a definition behind a line that begins so, or NULL. Lines in quotes are none. */
const char *line_find(const char *definition, const char *begin);

/* That line alone, without what it begins with; empty when there is none. */
struct slice line_value(const char *definition, const char *begin);

/* The pieces, sorted. They have kinds of their own: "default", "identity", "sequence-owner",
 * "sequence-identity", "partition", and more: "options", "row-security", "replica-identity", "cluster",
 * "foreign-key".
 */
void facts_split(struct arena *arena, const struct facts *facts, struct facts *out);

#endif

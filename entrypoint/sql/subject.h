/*
 * The object of a statement that cannot run in a transaction block, other than CREATE and DROP INDEX.
 */
#ifndef SQL_SUBJECT_H
#define SQL_SUBJECT_H

#include <stdbool.h>

#include "base/text.h"
#include "sql/name.h"

enum subject_kind {
    SUBJECT_INDEX, /* of REINDEX, as the next two */
    SUBJECT_TABLE,
    SUBJECT_SCHEMA,
    SUBJECT_DATABASE, /* of REINDEX, CREATE or DROP */
    SUBJECT_TABLESPACE,
    SUBJECT_SUBSCRIPTION,
    SUBJECT_PARTITION, /* of DETACH */
    SUBJECT_KINDS
};

struct subject {
    enum subject_kind kind;
    bool is_create;
    bool is_drop;
    bool is_concurrent;                  /* REINDEX */
    char schema[IDENTIFIER_SIZE];        /* empty if the statement does not say */
    char name[IDENTIFIER_SIZE];          /* empty in REINDEX DATABASE without a name */
    char parent_schema[IDENTIFIER_SIZE]; /* DETACH: the partitioned table */
    char parent[IDENTIFIER_SIZE];
};

/* Reads REINDEX, ALTER TABLE … DETACH PARTITION, CREATE or DROP of a database, tablespace or subscription.
 * False, and `out` untouched, for any other, and for names written U&"…". */
must_use bool subject_parse(struct slice statement, struct subject *out);

#endif

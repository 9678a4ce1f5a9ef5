/*
 * What creates the journal: its schema, and its tables, each of which has a bit.
 *
 * Migrations that run in one transaction need only the table of the origins.
 */
#ifndef HISTORY_JOURNAL_TABLE_H
#define HISTORY_JOURNAL_TABLE_H

#include <stddef.h>

#include "history/journal.h"
#include "postgres/query.h"

enum {
    JOURNAL_INTENT = 1,
    JOURNAL_BACKFILL = 2,
    JOURNAL_SESSION = 4,
    JOURNAL_ORIGIN = 8,
    JOURNAL_EVERY_TABLE = 15,
};
enum { JOURNAL_TABLES = 4 };

/* Which they are, as a sum of the bits, in an aggregate over their names. */
#define JOURNAL_BITS(name)                                                                                   \
    "pg_catalog.sum(CASE WHEN " name                                                                         \
    " OPERATOR(pg_catalog.=) 'intent' THEN 1"                                                                \
    " WHEN " name                                                                                            \
    " OPERATOR(pg_catalog.=) 'backfill' THEN 2"                                                              \
    " WHEN " name                                                                                            \
    " OPERATOR(pg_catalog.=) 'session' THEN 4"                                                               \
    " WHEN " name " OPERATOR(pg_catalog.=) 'origin' THEN 8 END)"

/* CREATE SCHEMA IF NOT EXISTS needs a right on the database even if there is nothing to do. */
extern const struct query JOURNAL_SCHEMA[JOURNAL_PLACE_ITEMS];

/* Where there must be none: in one that somebody else has made meanwhile, nothing is created unseen. */
extern const struct query JOURNAL_NEW_SCHEMA;

/* Adds what creates these tables, as far as they are missing; returns how many items that is, at most
 * JOURNAL_TABLES. */
size_t journal_add_tables(unsigned tables, struct batch_item *items);

#endif

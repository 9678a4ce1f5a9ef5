/*
 * The journal of Drizzle before 1.0, meta/_journal.json: which migrations there are, in which order, and for
 * which kind of server.
 */
#ifndef DIALECT_DRIZZLE_JOURNAL_H
#define DIALECT_DRIZZLE_JOURNAL_H

#include "dialect/dialect.h"

/* Its entries, in its order: the key is the time "when" it was generated, in milliseconds. ERROR_USAGE where
 * it is not such a journal, or two entries could not be told apart. */
must_use bool drizzle_journal_read(struct arena *arena, const char *path, struct slice text,
                                   struct index *out, struct error *err);

/* Whether it is for PostgreSQL; one that says nothing, or can't be read, is not refused here. */
must_use bool drizzle_journal_check(const char *path, struct slice text, struct error *err);

#endif

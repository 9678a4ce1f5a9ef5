/*
 * The ledgers of migration tools, those included whose migrations only they can run: what each looks like.
 *
 * A ledger is known by its columns: several tools call theirs "schema_migrations", and each tool lets it be
 * called otherwise.
 */
#ifndef DIALECT_KNOWN_LEDGER_H
#define DIALECT_KNOWN_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "dialect/dialect.h"

/* The one table that is looked for beside a ledger: it tells Rails' from others of the same columns. */
#define KNOWN_LEDGER_BESIDE "ar_internal_metadata"

struct known_ledger {
    const char *tool;
    enum format format; /* FORMAT_AUTO: its migrations can't be applied here */
    const char *schema; /* where it is whatever the session's schema is, or NULL */
    const char *table;  /* as the tool calls it unless told otherwise */
    const char *has;    /* columns, each with its type's category as in pg_type: "version:N dirty:B" */
    const char *lacks;  /* columns of a similar one that it does not have, likewise without categories */
    enum { BESIDE_OR_NOT, BESIDE_IT, NOT_BESIDE_IT } beside; /* KNOWN_LEDGER_BESIDE is in its schema */
    bool is_proven_by_reading; /* no other ledger has the columns that are read, so nobody need ask */
    size_t own_rows;           /* so many rows are the tool's own, and tell of no migration */
    const char *programs;      /* what its migrations are where no SQL is among them: "Ruby" */
};

/* What the catalog says of a table. */
struct table_look {
    const char *schema;
    const char *table;
    const char *columns; /* in the form of `has` */
    bool has_beside;
};

/* All of them; ends with one without a tool. */
extern const struct known_ledger KNOWN_LEDGERS[];

/* Whether a table has the shape of this ledger, whatever it is called. */
bool known_ledger_fits(const struct known_ledger *ledger, const struct table_look *look);

/* Whether it may be the ledger of the tool that --format names. */
bool known_ledger_fits_format(enum format format, const struct table_look *look);

/* Whether its shape has to be asked for when that tool's ledger is read. */
bool known_ledger_is_checked(enum format format);

/* Whose ledger a table is, by its name and its shape; NULL = nobody knows. */
const struct known_ledger *known_ledger_find(const struct table_look *look);

#endif

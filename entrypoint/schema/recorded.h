/*
 * The schema as a deployment left it: recorded in the journal, to tell later what was changed since, and not
 * by a migration.
 *
 * It is the text of a snapshot. Beside it stands which migrations were applied, and how the facts were read:
 * where one of these is no longer the same, there is nothing to compare.
 */
#ifndef SCHEMA_RECORDED_H
#define SCHEMA_RECORDED_H

#include <stdbool.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "history/journal.h"
#include "history/ledger.h"
#include "schema/facts.h"

struct recorded {
    bool exists;                  /* something was recorded that this role may read … */
    char ledger[SHA256_HEX_SIZE]; /* … when these migrations were applied … */
    char form[SHA256_HEX_SIZE];   /* … and read in this way, of these schemas: catalog_form() */
    const char *at;               /* RFC 3339, the server's clock */
    struct facts facts;
};

/* Which migrations are applied, as a SHA-256. */
void recorded_ledger(const struct ledger *ledger, char hex[SHA256_HEX_SIZE]);

/* Reads it into the arena. Whatever keeps us from it but a lost connection counts as nothing recorded. */
must_use bool recorded_read(struct arena *arena, const struct journal *journal, struct recorded *out,
                            struct error *err);

/* Records it in place of the one before, in a transaction of its own; creates its table if necessary. The
 * journal must be there. */
must_use bool recorded_write(const struct journal *journal, const struct recorded *recorded,
                             struct error *err);

#endif

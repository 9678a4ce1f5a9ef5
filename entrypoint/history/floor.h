/*
 * Floors: the oldest release of the application that can run once a migration is applied (the directive
 * "floor"). In a table of the journal, since an older image lacks the migration, and so what it says.
 *
 * One counts as long as its migration is applied, whoever takes that back. It is read in the question that
 * reads the ledger, so that no start pays for it, and written in the transaction that applies the migration.
 */
#ifndef HISTORY_FLOOR_H
#define HISTORY_FLOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/release.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "history/journal.h"
#include "postgres/query.h"
#include "sql/name.h"

/* One that is recorded. */
struct floor {
    const char *schema; /* of the journal that has it */
    const char *release;
    const char *ledger_id; /* of the row of the applied migration */
    const char *key;
};

/* All that this role may read, those of other ledgers among them. */
struct floors {
    struct floor *items;
    size_t count;
    const char *hidden; /* the schema of a journal that may have some, and does not let this role see them;
                           NULL = there is none */
};

/* Adds the statement that reads them. `literal` is the ledger's name as a literal. */
void floors_add_question(const char *literal, struct text *sql);

/* Its rows. `ledger_schema` is the ledger's, or NULL. Everything lives in the arena. */
struct floors floors_take(struct arena *arena, const struct result *rows, const char *ledger_schema);

/* That of a ledger row, or NULL. */
const struct floor *floors_find(const struct floors *floors, const char *ledger_id);

/* What is to be written of a migration when it is applied, or recorded as applied. */
struct floor_record {
    char release[RELEASE_SIZE]; /* "" = it has none */
    char ledger_id[UUID_SIZE];
    char removal[2 * IDENTIFIER_SIZE + 96];
    struct query removing;
    const char *parameters[3];
    struct batch_item creating[JOURNAL_PLACE_ITEMS + 1]; /* what it needs where there is no table yet */
    size_t creating_count;
};

/* Takes it from the directives of a script, with their errors. All zero before. */
must_use bool floor_take(const char *file, struct slice script, struct floor_record *out, struct error *err);

/* Looks for the place of one that has a release. ERROR_CLEAN if there is none, with what an administrator can
 * type. From then on queries with is_in_journal go there. Takes no lock: behind a pooler, the session is not
 * ours. Must not run inside a transaction. */
must_use bool floor_prepare(const struct journal *journal, struct floor_record *record, struct error *err);

/* Adds what records it under `ledger_id`, with the migration's key, or what takes away one that is recorded
 * there; and returns how many items that is. They are good as long as the record is. */
enum { FLOOR_ITEMS_MOST = JOURNAL_PLACE_ITEMS + 2 };
size_t floor_add_items(struct floor_record *record, const struct floors *recorded, const char *ledger_id,
                       const char *key, struct batch_item items[FLOOR_ITEMS_MOST]);

#endif

/*
 * The journal, in a schema of tidelock's own (journal_place.h says which): what does not fit into the
 * ledger's table. Created when first needed, and used only if somebody we trust owns it (owner.h).
 *
 * It holds intents: before a statement that cannot run in a transaction block, a row that says so is
 * committed. What a crash leaves behind (an INVALID index) can then be proven to be ours. It also holds the
 * progress of backfills, which is committed with each batch, what a script has set in its session, and who
 * applied what (origin.h), and what the schema was then.
 */
#ifndef HISTORY_JOURNAL_H
#define HISTORY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "postgres/connection.h"
#include "postgres/query.h"

/* Where it is: for which ledger, and under which leader lock; every transaction that writes to it takes that
 * first, and makes sure that the session holds it, too. */
struct journal {
    struct connection *conn;
    const char *ledger_schema;
    const char *key; /* NULL = it is only read, and nothing is created */
};

/* Statement number `statement` (from 0) of the migration whose ledger row is `ledger_id` was about to run. */
struct intent {
    bool is_known;
    char txid[24]; /* of the transaction that first recorded it: what the statement created is younger */
    char prefix[SHA256_HEX_SIZE]; /* SHA-256 of the statements before it */
    char *sql;                    /* the statement; NULL = not recorded */
};

#define auto_intent __attribute__((cleanup(intent_free)))
void intent_free(struct intent *intent);

/* What is recorded before a statement runs. */
struct journal_entry {
    const char *ledger_id;
    size_t statement;   /* its number, from 0 */
    const char *prefix; /* SHA-256 of the statements before it */
    const char *sql;    /* or NULL */
};

/* Commits the intent, creating the schema and the table if necessary. A role that may not create them is not
 * an error: then is_known is false, there is one warning, and a person has to clean up after a crash. Like
 * the others it works with any role that a script has set, and must not run inside a transaction. `out` is
 * the caller's to free, also on failure. */
must_use bool journal_record(const struct journal *journal, const struct journal_entry *entry,
                             struct intent *out, struct error *err);

/* Reads it; is_known is false when there is none. */
must_use bool journal_read(const struct journal *journal, const char *ledger_id, size_t statement,
                           struct intent *out, struct error *err);

/* One more table, which whoever writes to it creates (schema/recorded.h). */
#define RECORDED_TABLE "schema"

/* … and another (history/floor.h). */
#define FLOOR_TABLE "floor"
/* And one of the restore points (deploy/restore_point.h). */
#define RESTORE_POINT_TABLE "restore_point"

/* Those that forget a finished migration: $1 is its ledger row. Only if journal_exists(). */
enum { JOURNAL_FORGETTING = 3 };
extern const struct query JOURNAL_FORGET[JOURNAL_FORGETTING];

/* Backfills: $1 is the ledger row; keys are arrays of text.
 * READ: what the key is, pass, rows visited and changed, batches, rows of a batch; then first, last and done
 * key, each as an array and in four parts. START: a pass ($2) from the first ($3) to the last key ($4), along
 * the key $5. ADVANCE: in the batch's own transaction, which has set tidelock.changed to how many rows it has
 * changed: up to key $2, with $3 rows visited (null = as many as changed); the next batch has $4; fails
 * (division by zero) unless $5 batches are done so far. Its row: 1, rows changed, milliseconds since the
 * transaction began. */
extern const struct query BACKFILL_READ;
extern const struct query BACKFILL_START;
extern const struct query BACKFILL_ADVANCE;

/* How many rows a backfill has changed so far; -1 if none was begun under this ledger row. Where the journal
 * is must be known. */
must_use bool backfill_count_changed(struct connection *conn, const char *ledger_id, int64_t *changed,
                                     struct error *err);

/* What it is for: to know who applied what, or for all that it may hold, which takes more tables. */
enum journal_use { JOURNAL_USE_ORIGINS, JOURNAL_USE_ALL };

/* Creates it if necessary. Where there is no place for it, that is not an error: then *is_open is false, and
 * there is one warning. */
must_use bool journal_open(const struct journal *journal, bool *is_open, struct error *err);

/* Creates it if necessary. ERROR_CLEAN if there is no place for it, with what an administrator can type. */
must_use bool journal_create(const struct journal *journal, struct error *err);

/* Whether it is there for that use, or could be created: if not, as journal_create(). Changes nothing. */
must_use bool journal_check(const struct journal *journal, enum journal_use use, struct error *err);

/* Where it is, or would be: gives the items that create its schema where there is none, for a transaction of
 * the caller's. ERROR_CLEAN as above. */
enum { JOURNAL_PLACE_ITEMS = 2 };
must_use bool journal_locate(const struct journal *journal, struct batch_item items[JOURNAL_PLACE_ITEMS],
                             size_t *count, struct error *err);

/* Creates it if necessary, for what would be nice to have: says nothing where there is no place for it. True
 * if it is there, with the tables for that use. */
must_use bool journal_prepare(const struct journal *journal, enum journal_use use);

/* The same where no schema of a journal's is there (struct ledger_beginning), in one round trip: false when
 * that is no longer so. */
must_use bool journal_begin(const struct journal *journal, enum journal_use use);

/* Only looks for it, under no lock: from then on queries with is_in_journal go there. False if there is none,
 * or this role may not use it. */
must_use bool journal_find(const struct journal *journal, struct error *err);

/* Adds to a table of an older version what this one needs. */
must_use bool journal_extend(const struct journal *journal, struct error *err);

/* Whether the schema exists, and a table of it; who has a key finds all of its tables there, others perhaps
 * not. From then on queries with is_in_journal go there. */
must_use bool journal_exists(const struct journal *journal, bool *exists, struct error *err);

#endif

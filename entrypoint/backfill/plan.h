/*
 * What a backfill will walk along: its table, its key, its statement with a range in it. Checked before it
 * begins.
 */
#ifndef BACKFILL_PLAN_H
#define BACKFILL_PLAN_H

#include "execution/execution.h"
#include "sql/update_statement.h"

/* What our own queries call the table. ORDER BY takes a bare name for that of a result, a text here. */
#define BACKFILL_ALIAS "b"

enum { BACKFILL_SQL_MOST = 16 * 1024 * 1024 };

/* The key of a row: texts that the server made of its columns and takes back. */
struct backfill_key {
    bool is_known;
    struct text array;   /* as an array of text, for the ledger */
    struct text literal; /* as it stands in a comparison: '7', or ('a', '7') */
    double number;       /* the first part, if it is one */
};

struct backfill_plan {
    struct slice sql; /* the statement, a part of the script */
    size_t start;     /* its byte offset in there */
    struct update_statement update;
    struct text table;   /* qualified and quoted */
    struct text columns; /* the key's, of BACKFILL_ALIAS and quoted: "b"."id", or ("b"."tenant", "b"."id") */
    struct text qualified;  /* the same, as the statement has to name them */
    struct text listed;     /* what a query returns for a key: the array and its parts */
    struct text order;      /* "b"."tenant", "b"."id" */
    struct text descending; /* "b"."tenant" DESC, "b"."id" DESC */
    size_t key_count;
    char first_column[IDENTIFIER_SIZE];
    bool is_number;   /* the key is one column, a number: how far it has come can be told from it */
    double estimated; /* rows, as the server's statistics say; 0 = unknown */
    bool is_large;    /* enough that the server would rather not read all of it */
};

void backfill_plan_free(struct backfill_plan *plan);
void backfill_key_free(struct backfill_key *key);
#define auto_backfill_key __attribute__((cleanup(backfill_key_free)))

/* Takes the statement apart and finds the key. ERROR_CLEAN for a statement that can't be done in parts, no
 * index that can be walked, a key that may be null or that the statement changes. */
must_use bool backfill_plan_make(struct execution *execution, struct backfill_plan *out, struct error *err);

/* Takes the key in `row` from `column` on, as `listed` gives it; unknown when it is null. Frees what was in
 * it.
 */
void backfill_key_take(const struct backfill_plan *plan, const struct result *result, int row, int column,
                       struct backfill_key *key);

void backfill_key_copy(const struct backfill_key *from, struct backfill_key *to);

/* Adds "(key > done AND key <= until)"; without `done` only the second half. */
void backfill_range_add(const struct text *columns, const struct backfill_key *done,
                        const struct backfill_key *until, struct text *out);

/* Whether the server would walk the index for that range; ERROR_CLEAN with its plan when not. */
must_use bool backfill_plan_check(struct execution *execution, const struct backfill_plan *plan,
                                  const struct backfill_key *done, const struct backfill_key *until,
                                  struct error *err);

#endif

/*
 * The plan of a backfill: its table, its key, its statement with a range in it. Checked before it begins.
 */
#ifndef BACKFILL_PLAN_H
#define BACKFILL_PLAN_H

#include "execution/execution.h"
#include "sql/update_statement.h"

/* The table's alias in our own queries: ORDER BY would read a bare name as a result column, which is text
 * here. */
#define BACKFILL_ALIAS "b"

enum { BACKFILL_SQL_MOST = 16 * 1024 * 1024 };

/* The key of a row: its columns as text, as the server writes and reads them. */
struct backfill_key {
    bool is_known;
    struct text array;   /* as an array of text, for the ledger */
    struct text literal; /* as used in a comparison: '7', or ('a', '7') */
    double number;       /* the first part, if it is one */
};

/* Schema and name of an operator, each of 63 bytes at most. */
enum { OPERATOR_SIZE = QUALIFIED_NAME_SIZE };

struct backfill_plan {
    struct slice sql; /* the statement, a part of the script */
    size_t start;     /* its byte offset in the script */
    struct update_statement update;
    struct text table;   /* qualified and quoted */
    struct text columns; /* the key's, of BACKFILL_ALIAS and quoted: "b"."id", or ("b"."tenant", "b"."id") */
    struct text qualified;  /* the same, as the statement must name them */
    struct text listed;     /* the result columns for a key: the array and its parts */
    struct text order;      /* "b"."tenant", "b"."id" */
    struct text descending; /* "b"."tenant" DESC, "b"."id" DESC */
    size_t key_count;
    char first_column[IDENTIFIER_SIZE];
    char greater[OPERATOR_SIZE]; /* the index's own: "OPERATOR(pg_catalog.>)" */
    char at_most[OPERATOR_SIZE];
    bool is_number;   /* the key is one numeric column, so it shows the progress */
    double estimated; /* rows, according to the server's statistics; 0 = unknown */
    bool is_large;    /* large enough that the server would avoid reading all of it */
};

void backfill_plan_free(struct backfill_plan *plan);
void backfill_key_free(struct backfill_key *key);
#define auto_backfill_key __attribute__((cleanup(backfill_key_free)))

/* Parses the statement and finds the key. ERROR_CLEAN if the statement cannot be done in batches, no index
 * can be used, or the key may be null or is changed by the statement. */
must_use bool backfill_plan_make(struct execution *execution, struct backfill_plan *out, struct error *err);

/* Reads the key in `row` from `column` on, in the form of `listed`; unknown when it is null. Frees the old
 * content.
 * */
void backfill_key_take(const struct backfill_plan *plan, const struct result *result, int row, int column,
                       struct backfill_key *key);

void backfill_key_copy(const struct backfill_key *from, struct backfill_key *to);

/* Adds "(key > done AND key <= until)"; without `done` only the second half. */
void backfill_range_add(const struct backfill_plan *plan, const struct text *columns,
                        const struct backfill_key *done, const struct backfill_key *until, struct text *out);

/* Whether the server would use the index for that range; ERROR_CLEAN with its plan if not. */
must_use bool backfill_plan_check(struct execution *execution, const struct backfill_plan *plan,
                                  const struct backfill_key *done, const struct backfill_key *until,
                                  struct error *err);

#endif

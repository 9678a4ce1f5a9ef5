/*
 * The plan of a backfill: its table, its key, its statement. Checked before it begins.
 */
#ifndef BACKFILL_PLAN_H
#define BACKFILL_PLAN_H

#include "backfill/key.h"
#include "execution/execution.h"
#include "sql/update_statement.h"

struct backfill_plan {
    struct slice sql; /* the statement, a part of the script */
    size_t start;     /* its byte offset in the script */
    struct update_statement update;
    bool is_repeatable; /* see update_statement_is_repeatable() */
    struct text table;  /* qualified and quoted */
    struct key_columns key;
    double estimated; /* rows, according to the server's statistics; 0 = unknown */
    bool is_large;    /* large enough that the server would avoid reading all of it */
};

void backfill_plan_free(struct backfill_plan *plan);

/* Parses the statement and finds the key. ERROR_CLEAN if the statement cannot be done in batches, no index
 * can be used, or the key may be null or is changed by the statement. Free it also on failure. */
must_use bool backfill_plan_make(struct execution *execution, struct backfill_plan *out, struct error *err);

/* Points the error at the statement, which was not started. Returns false. */
bool backfill_plan_refuse(const struct execution *execution, const struct backfill_plan *plan,
                          struct error *err);

#endif

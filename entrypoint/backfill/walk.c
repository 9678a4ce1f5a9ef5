#include "backfill/walk.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "history/journal.h"
#include "postgres/advisory.h"
#include "postgres/aside.h"
#include "postgres/query.h"

enum {
    LOCK_MS = 1000,
    STATEMENT_FACTOR = 10, /* times the target: a batch that takes longer is made smaller */
    STATEMENT_LEAST_MS = 5000,
    NUMBER_SIZE = 24,
    ADVANCE_ITEMS = SESSION_ASIDES + 5
};

void backfill_walk_end(struct backfill_walk *walk)
{
    backfill_plan_free(&walk->plan);
    backfill_key_free(&walk->first);
    backfill_key_free(&walk->last);
    backfill_key_free(&walk->done);
    backfill_key_free(&walk->until);
}

double backfill_walk_ratio(const struct backfill_walk *walk)
{
    double done;

    if (!walk->done.is_known)
        return 0;
    if (walk->plan.is_number && walk->last.number > walk->first.number)
        done = (walk->done.number - walk->first.number) / (walk->last.number - walk->first.number);
    else if (walk->plan.estimated > 0)
        done = (double)walk->visited / walk->plan.estimated;
    else
        return -1;
    return done > 1 ? 1 : done;
}

/* Which row: number `offset` (from 0) in that order, among those that satisfy the condition (NULL = all). */
struct key_place {
    const char *where;
    const char *order;
    int64_t offset;
};

/* Reads one key: the first of the table, the last, or that in which the next batch ends. */
static bool read_key(struct backfill_walk *walk, struct key_place place, struct backfill_key *key,
                     struct error *err)
{
    auto_text struct text sql = text_init(BACKFILL_SQL_MOST);
    auto_result struct result *result = NULL;
    bool is_read;

    /* Only with the index is the time independent of the table's size. */
    text_add_format(&sql,
                    "BEGIN READ ONLY;SET LOCAL enable_seqscan = off;SET LOCAL enable_sort = off;"
                    "SET LOCAL enable_bitmapscan = off;SELECT %s FROM %s AS " BACKFILL_ALIAS,
                    walk->plan.listed.at, walk->plan.table.at);
    if (place.where != NULL)
        text_add_format(&sql, " WHERE %s", place.where);
    text_add_string(&sql, " ORDER BY ");
    text_add_string(&sql, place.order);
    text_add_format(&sql, " OFFSET %lld LIMIT 1;COMMIT", (long long)place.offset);
    is_read = query_several(walk->execution->conn,
                            &(const struct query) { .name = "backfill_key", .sql = sql.at }, &result, 1, err);
    if (!is_read) {
        execution_roll_back_own(walk->execution->conn);
        return false;
    }
    backfill_key_free(key);
    if (result_rows(result) > 0)
        backfill_key_take(&walk->plan, result, 0, 0, key);
    return true;
}

static bool begin_pass(struct backfill_walk *walk, int pass, struct error *err)
{
    char number[NUMBER_SIZE];

    if (!read_key(walk, (struct key_place) { NULL, walk->plan.order.at, 0 }, &walk->first, err) ||
        !read_key(walk, (struct key_place) { NULL, walk->plan.descending.at, 0 }, &walk->last, err))
        return false;
    backfill_key_free(&walk->done);
    walk->pass = pass;
    walk->visited = 0;
    if (!walk->last.is_known)
        return true;
    (void)snprintf(number, sizeof number, "%d", pass);
    const char *const parameters[] = { walk->execution->id, number, walk->first.array.at,
                                       walk->last.array.at };
    const struct batch_item item = { .query = &BACKFILL_START, .parameters = parameters };
    return aside_run(walk->execution->conn, walk->execution->ledger->lock_key,
                     &(const struct batch) { .items = &item, .count = 1 }, NULL, err);
}

static bool create_journal(struct execution *execution, struct error *err)
{
    const struct journal journal = execution_journal(execution);
    bool exists;

    if (!journal_exists(&journal, &exists, err))
        return false;
    return exists || journal_create(&journal, err) || error_context(err, "recording the backfill's progress");
}

bool backfill_walk_again(struct backfill_walk *walk, struct error *err)
{
    return begin_pass(walk, walk->pass + 1, err);
}

static bool take_up(struct backfill_walk *walk, int64_t *batch_rows, struct error *err)
{
    auto_result struct result *row = NULL;
    const char *const parameters[] = { walk->execution->id };

    if (!query_run(walk->execution->conn, &BACKFILL_READ, parameters, &row, err))
        return false;
    walk->is_known = true;
    if (result_rows(row) == 0)
        return begin_pass(walk, 1, err);
    walk->pass = (int)result_number(row, 0, 0);
    walk->visited = result_number(row, 0, 1);
    walk->changed = result_number(row, 0, 2);
    walk->batches = result_number(row, 0, 3);
    *batch_rows = result_number(row, 0, 4);
    backfill_key_take(&walk->plan, row, 0, 5, &walk->first);
    backfill_key_take(&walk->plan, row, 0, 10, &walk->last);
    backfill_key_take(&walk->plan, row, 0, 15, &walk->done);
    return true;
}

/* A script whose UPDATE has changed cannot resume where this one stopped; its directives may change. */
static bool record_statement(struct execution *execution, struct error *err)
{
    const struct journal journal = execution_journal(execution);
    auto_intent struct intent intent = { .is_known = false };
    char hash[SHA256_HEX_SIZE];

    return execution_hash_prefix(execution, 1, hash, err) &&
           journal_record(&journal, &(const struct journal_entry) { execution->id, 0, hash, NULL }, &intent,
                          err);
}

bool backfill_walk_begin(struct backfill_walk *walk, struct execution *execution, int64_t *batch_rows,
                         struct error *err)
{
    *walk = (struct backfill_walk) { .execution = execution };
    return backfill_plan_make(execution, &walk->plan, err) && create_journal(execution, err) &&
           record_statement(execution, err) && take_up(walk, batch_rows, err);
}

bool backfill_walk_is_over(const struct backfill_walk *walk)
{
    return !walk->last.is_known ||
           (walk->done.is_known && strcmp(walk->done.array.at, walk->last.array.at) == 0);
}

bool backfill_walk_choose(struct backfill_walk *walk, int64_t rows, struct error *err)
{
    auto_text struct text range = text_init(BACKFILL_SQL_MOST);

    backfill_range_add(&walk->plan, &walk->plan.columns, &walk->done, &walk->last, &range);
    if (!read_key(walk, (struct key_place) { range.at, walk->plan.order.at, rows - 1 }, &walk->until, err))
        return false;
    walk->until_rows = walk->until.is_known ? rows : 0;
    if (!walk->until.is_known)
        backfill_key_copy(&walk->last, &walk->until);
    return true;
}

static int64_t statement_timeout_ms(const struct backfill_walk *walk)
{
    int64_t ms = STATEMENT_FACTOR * walk->execution->directives.backfill.target_ms;

    return ms < STATEMENT_LEAST_MS ? STATEMENT_LEAST_MS : ms;
}

/* Runs the batch in an open transaction; *changed becomes the number of rows it changed. */
static bool update(struct backfill_walk *walk, int64_t *changed, struct error *err)
{
    struct execution *execution = walk->execution;
    auto_text struct text sql = text_init(BACKFILL_SQL_MOST);
    auto_text struct text range = text_init(BACKFILL_SQL_MOST);
    auto_result struct result *is_leader = NULL;
    auto_result struct result *count = NULL;
    struct result *results[2];
    int64_t lock_ms =
        execution->lock_wait.retry.lock_timeout_ms > 0 ? execution->lock_wait.retry.lock_timeout_ms : LOCK_MS;
    bool is_done;

    backfill_range_add(&walk->plan, &walk->plan.qualified, &walk->done, &walk->until, &range);
    text_add_format(&sql,
                    "BEGIN ISOLATION LEVEL READ COMMITTED;SET LOCAL lock_timeout = %lld;"
                    "SET LOCAL statement_timeout = %lld;SELECT ",
                    (long long)lock_ms, (long long)statement_timeout_ms(walk));
    advisory_add_try(execution->ledger->lock_key, true, &sql);
    text_add_string(&sql, ";WITH tidelock_changed AS (");
    update_statement_add(walk->plan.sql, &walk->plan.update, range.at, &sql);
    text_add_string(
        &sql,
        "\nRETURNING true) SELECT pg_catalog.count(*), (1000 OPERATOR(pg_catalog.*) EXTRACT(epoch FROM"
        " pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.statement_timestamp()))::bigint"
        " FROM tidelock_changed");
    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
    is_done = query_several(execution->conn, &(const struct query) { .name = "batch", .sql = sql.at },
                            results, array_length(results), err);
    watch_stop(execution->watch);
    is_leader = results[0];
    count = results[1];
    if (is_done && !result_bool(is_leader, 0, 0))
        return advisory_lost(err);
    if (is_done) {
        *changed = result_number(count, 0, 0);
        walk->batch_ms = result_number(count, 0, 1);
    }
    err->position = 0;
    return is_done;
}

static bool commit(struct backfill_walk *walk, int64_t visited, int64_t changed, int64_t next_rows,
                   struct error *err)
{
    static const struct query end = { .name = "commit", .sql = "COMMIT" };
    char visited_text[NUMBER_SIZE];
    char changed_text[NUMBER_SIZE];
    char rows_text[NUMBER_SIZE];
    char batches_text[NUMBER_SIZE];
    const char *const parameters[] = { walk->execution->id, walk->until.array.at, visited_text, changed_text,
                                       rows_text,           batches_text };
    struct connection *conn = walk->execution->conn;
    struct batch_item items[ADVANCE_ITEMS];
    size_t count = 0;
    size_t advance;
    size_t failed;

    (void)snprintf(visited_text, sizeof visited_text, "%lld", (long long)visited);
    (void)snprintf(changed_text, sizeof changed_text, "%lld", (long long)changed);
    (void)snprintf(rows_text, sizeof rows_text, "%lld", (long long)next_rows);
    (void)snprintf(batches_text, sizeof batches_text, "%lld", (long long)walk->batches);
    items[count++] = (struct batch_item) { .query = &SESSION_CONSTRAINTS };
    items[count++] =
        (struct batch_item) { .query = &ADVISORY_HOLD, .parameters = &walk->execution->ledger->lock_key };
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[count++] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    items[count++] = execution_add_limits(walk->execution);
    advance = count;
    items[count++] = (struct batch_item) { .query = &BACKFILL_ADVANCE, .parameters = parameters };
    items[count++] = (struct batch_item) { .query = &end };
    if (!lease_check(walk->execution->lease, err))
        return false;
    if (query_batch(conn,
                    &(const struct batch) {
                        .items = items, .count = count, .cancellable = count - 1, .failed = &failed },
                    err))
        return true;
    if (failed == 1 && err->class != ERROR_LOST)
        return advisory_lost(err);
    if (failed != advance || strcmp(err->sqlstate, "22012") != 0)
        return false;
    error_set(err, ERROR_CLEAN,
              "the progress of the backfill in the journal was changed or deleted by "
              "somebody else");
    return error_hint(err, "Find out who did that, and which rows are done, before you deploy again.");
}

bool backfill_walk_batch(struct backfill_walk *walk, int64_t next_rows, struct error *err)
{
    int64_t changed = 0;
    int64_t visited;

    if (!update(walk, &changed, err))
        return false;
    visited = walk->until_rows > 0 ? walk->until_rows : changed;
    if (!commit(walk, visited, changed, next_rows, err))
        return false;
    backfill_key_free(&walk->done);
    walk->done = walk->until;
    walk->until = (struct backfill_key) { .is_known = false };
    walk->visited += visited;
    walk->changed += changed;
    walk->batches++;
    return true;
}

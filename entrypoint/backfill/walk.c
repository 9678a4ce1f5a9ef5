#include "backfill/walk.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "history/journal.h"
#include "postgres/advisory.h"
#include "postgres/aside.h"
#include "postgres/query.h"

/* The table's alias in our own queries: ORDER BY would read a bare name as a result column, which is text
 * here. */
#define ALIAS "b"

enum { NUMBER_SIZE = 24 };

void backfill_walk_end(struct backfill_walk *walk)
{
    backfill_plan_free(&walk->plan);
    key_free(&walk->first);
    key_free(&walk->last);
    key_free(&walk->done);
    key_free(&walk->until);
}

double backfill_walk_ratio(const struct backfill_walk *walk)
{
    double done;

    if (!walk->done.is_known)
        return 0;
    if (walk->plan.key.is_number && walk->last.number > walk->first.number)
        done = (walk->done.number - walk->first.number) / (walk->last.number - walk->first.number);
    else if (walk->plan.estimated > 0)
        done = (double)walk->visited / walk->plan.estimated;
    else
        return -1;
    return done > 1 ? 1 : done;
}

/* Which row: number `offset` (from 0) in that order, of those in the range. */
struct key_place {
    struct key_range range;
    bool is_descending;
    int64_t offset;
};

/* A value that would not come back as it is would lead to other rows. */
static bool refuse_value(struct backfill_walk *walk, struct error *err)
{
    error_set(err, ERROR_CLEAN, "a value of the key of %s does not survive being written as text: %s",
              walk->plan.table.at, walk->plan.key.identity.at);
    return error_hint(err, "Name another key: key=…");
}

/* Reads one key: the first of the table, the last, or that in which the next batch ends. */
static bool read_key(struct backfill_walk *walk, struct key_place place, struct backfill_key *key,
                     struct error *err)
{
    const struct key_columns *columns = &walk->plan.key;
    auto_text struct text sql = text_init(BACKFILL_SQL_MOST);
    auto_result struct result *result = NULL;
    bool is_read;

    /* Only with the index is the time independent of the table's size. */
    text_add_string(&sql, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;" KEY_SETTINGS
                          "SET LOCAL enable_seqscan = off;"
                          "SET LOCAL enable_sort = off;SET LOCAL enable_bitmapscan = off;SELECT ");
    key_add_listed(columns, ALIAS, &sql);
    /* From a sub-query, since what is selected is computed for the rows before the offset, too. */
    text_add_string(&sql, " FROM (SELECT ");
    key_add_order(columns, ALIAS, false, &sql);
    text_add_format(&sql, " FROM %s%s AS " ALIAS, walk->plan.update.is_only ? "ONLY " : "",
                    walk->plan.table.at);
    if (place.range.until != NULL) {
        text_add_string(&sql, " WHERE ");
        key_add_range(columns, ALIAS, place.range, &sql);
    }
    text_add_string(&sql, " ORDER BY ");
    key_add_order(columns, ALIAS, place.is_descending, &sql);
    text_add_format(&sql, " OFFSET %lld LIMIT 1) AS " ALIAS ";COMMIT", (long long)place.offset);
    is_read = query_several(walk->execution->conn,
                            &(const struct query) { .name = "backfill_key", .sql = sql.at }, &result, 1, err);
    if (!is_read) {
        execution_roll_back_own(walk->execution->conn);
        return false;
    }
    key_free(key);
    if (result_rows(result) == 0)
        return true;
    if (!result_bool(result, 0, KEY_PARTS))
        return refuse_value(walk, err);
    key_take(columns, result, 0, 0, key);
    return true;
}

static bool begin_pass(struct backfill_walk *walk, int pass, struct error *err)
{
    char number[NUMBER_SIZE];

    if (!read_key(walk, (struct key_place) { .is_descending = false }, &walk->first, err) ||
        !read_key(walk, (struct key_place) { .is_descending = true }, &walk->last, err))
        return false;
    key_free(&walk->done);
    walk->pass = pass;
    walk->visited = 0;
    if (!walk->first.is_known || !walk->last.is_known) {
        key_free(&walk->last);
        return true;
    }
    (void)snprintf(number, sizeof number, "%d", pass);
    const char *const parameters[] = { walk->execution->id, number, walk->first.array.at, walk->last.array.at,
                                       walk->plan.key.identity.at };
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
    return (exists ? journal_extend(&journal, err) : journal_create(&journal, err)) ||
           error_context(err, "recording the backfill's progress");
}

bool backfill_walk_again(struct backfill_walk *walk, struct error *err)
{
    return begin_pass(walk, walk->pass + 1, err);
}

/* What is done is known only in the order in which it was done. */
static bool refuse_order(struct backfill_walk *walk, const char *former, struct error *err)
{
    struct execution *execution = walk->execution;

    execution->failure.facts.has_begun = false; /* by this run */
    error_set(err, ERROR_REFUSED,
              "the backfill of \"%s\" stopped half-way along another key: %s; now it would be %s",
              execution->migration->name, former[0] == '\0' ? "one that was not recorded" : former,
              walk->plan.key.identity.at);
    execution_point(execution, walk->plan.start, err);
    error_code(err, execution->ledger->dialect->codes.unresolved);
    error_cause(err, CAUSE_UNRESOLVED);
    return error_hint(
        err,
        "Name the former key with key=… and deploy again to resume, or undo by hand what persists and type: "
        "tidelock resolve --rolled-back \"%s\"",
        execution->migration->name);
}

/* A standby that was promoted may lack some, and so may a backup that was restored. */
static bool refuse_lost(struct backfill_walk *walk, int64_t batches, struct error *err)
{
    struct execution *execution = walk->execution;

    execution->failure.facts.has_begun = false;
    error_set(
        err, ERROR_REFUSED,
        "the database has lost a part of the backfill of \"%s\": it holds %lld of the %lld batches that "
        "were done when this run lost its connection",
        execution->migration->name, (long long)batches, (long long)execution->batches_before);
    error_cause(err, CAUSE_BEHIND);
    return error_hint(
        err,
        "Find out which server is the right one, and whether the former one still has what is missing, rows "
        "of the application included. If this one is to stay, deploy again: the backfill goes on from there.");
}

static bool take_up(struct backfill_walk *walk, int64_t *batch_rows, struct error *err)
{
    auto_result struct result *row = NULL;
    const char *const parameters[] = { walk->execution->id };
    const char *former;

    if (!query_run(walk->execution->conn, &BACKFILL_READ, parameters, &row, err))
        return false;
    walk->is_known = true;
    walk->batches = result_rows(row) == 0 ? 0 : result_number(row, 0, 4);
    if (walk->batches < walk->execution->batches_before)
        return refuse_lost(walk, walk->batches, err);
    if (result_rows(row) == 0)
        return begin_pass(walk, 1, err);
    former = result_text(row, 0, 0);
    walk->pass = (int)result_number(row, 0, 1);
    walk->visited = result_number(row, 0, 2);
    walk->changed = result_number(row, 0, 3);
    if (strcmp(former, walk->plan.key.identity.at) != 0) {
        if (walk->batches > 0 && !walk->plan.is_repeatable)
            return refuse_order(walk, former, err);
        log_info("the key is another one than before: going over the table from its beginning");
        return begin_pass(walk, walk->pass + 1, err);
    }
    *batch_rows = result_number(row, 0, 5);
    key_take(&walk->plan.key, row, 0, 6, &walk->first);
    key_take(&walk->plan.key, row, 0, 6 + KEY_PARTS, &walk->last);
    key_take(&walk->plan.key, row, 0, 6 + 2 * KEY_PARTS, &walk->done);
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
    const struct key_place end = { .range = { &walk->done, &walk->last }, .offset = rows - 1 };

    if (!read_key(walk, end, &walk->until, err))
        return false;
    walk->until_rows = walk->until.is_known ? rows : 0;
    if (!walk->until.is_known)
        key_copy(&walk->last, &walk->until);
    return true;
}

/* The statements of a batch, which is one message: whatever the network takes, no row stays locked for it. */
enum {
    BATCH_BEGIN,
    BATCH_LIMITS,
    BATCH_TAKE,
    BATCH_UPDATE,
    BATCH_STAYS,
    BATCH_CONSTRAINTS,
    BATCH_HOLD,
    BATCH_ASIDE,
    BATCH_OWN_LIMITS = BATCH_ASIDE + SESSION_ASIDES,
    BATCH_ADVANCE,
    BATCH_COMMIT,
    BATCH_ITEMS
};

static const struct query BEGIN = { .name = "begin", .sql = "BEGIN ISOLATION LEVEL READ COMMITTED" };
static const struct query COMMIT = { .name = "commit", .sql = "COMMIT" };

/* A batch and its place are one commit: a crash of the server loses both or neither, so it need not wait for
 * the disk while it holds its rows. Where standbys are waited for, that keeps it from running ahead of them.
 */
static const struct query LIMITS = {
    .name = "batch_limits",
    .parameters = 2,
    .sql =
        "SELECT pg_catalog.set_config('lock_timeout', $1, true),"
        " pg_catalog.set_config('statement_timeout', $2, true),"
        " pg_catalog.set_config('synchronous_commit', CASE"
        " WHEN pg_catalog.current_setting('synchronous_standby_names') OPERATOR(pg_catalog.=) ''"
        " THEN 'off' ELSE pg_catalog.current_setting('synchronous_commit') END, true)",
};

/* Whether every row is still where the walk has been; else it fails (division by zero). */
static const struct query STAYS = {
    .name = "batch_stays",
    .sql =
        "SELECT 1 OPERATOR(pg_catalog./)"
        " (pg_catalog.current_setting('tidelock.moved') OPERATOR(pg_catalog.=) '0')::pg_catalog.int4",
};

static void add_update(const struct backfill_walk *walk, struct text *sql)
{
    const struct backfill_plan *plan = &walk->plan;
    auto_text struct text range = text_init(BACKFILL_SQL_MOST);

    key_add_range(&plan->key, plan->update.alias, (struct key_range) { &walk->done, &walk->until }, &range);
    text_add_string(sql, "WITH tidelock_changed (stays) AS (");
    update_statement_add(plan->sql, &plan->update, range.at, sql);
    text_add_string(sql, "\nRETURNING ");
    key_add_range(&plan->key, plan->update.alias, (struct key_range) { NULL, &walk->until }, sql);
    text_add_string(sql,
                    ") SELECT pg_catalog.set_config('tidelock.changed',"
                    " pg_catalog.count(*)::pg_catalog.text, true),"
                    " pg_catalog.set_config('tidelock.moved',"
                    " (pg_catalog.count(*) FILTER (WHERE NOT stays))::pg_catalog.text, true)"
                    " FROM tidelock_changed");
}

/* They would be changed once more. */
static bool refuse_moved(struct backfill_walk *walk, struct error *err)
{
    struct execution *execution = walk->execution;

    error_set(
        err, ERROR_CLEAN,
        "migration \"%s\" failed: the statement, or a trigger, moves rows along the key of the backfill, "
        "to where they would be changed again",
        execution->migration->name);
    execution_point(execution, walk->plan.start, err);
    error_code(err, execution->ledger->dialect->codes.failed);
    return error_hint(err, "Name a key that keeps its values: key=…");
}

static bool refuse_place(struct error *err)
{
    error_set(err, ERROR_CLEAN,
              "the progress of the backfill in the journal was changed or deleted by "
              "somebody else");
    return error_hint(err, "Find out who did that, and which rows are done, before you deploy again.");
}

/* Says what the failure of statement number `failed` means. Returns false. */
static bool explain_batch(struct backfill_walk *walk, size_t failed, struct error *err)
{
    bool is_division = strcmp(err->sqlstate, "22012") == 0;

    if (failed == BATCH_TAKE || failed == BATCH_HOLD)
        return advisory_failed(err);
    if (failed == BATCH_STAYS && is_division)
        return refuse_moved(walk, err);
    if (failed == BATCH_ADVANCE && is_division)
        return refuse_place(err);
    if (failed > BATCH_CONSTRAINTS && failed < BATCH_COMMIT)
        return false;
    err->position = 0; /* in what we made of it */
    execution_failed_at(walk->execution, 0, 0, 0, err);
    return failed == BATCH_CONSTRAINTS || failed == BATCH_COMMIT
               ? error_context(err, "checking deferred constraints and triggers at the end of a batch")
               : false;
}

/* Runs and commits the batch; rows: that of BACKFILL_ADVANCE. */
static bool run_batch(struct backfill_walk *walk, struct walk_limits limits, int64_t next_rows,
                      struct result **row, struct error *err)
{
    struct execution *execution = walk->execution;
    auto_text struct text sql = text_init(BACKFILL_SQL_MOST);
    struct query update = { .name = "batch" };
    char lock_ms[NUMBER_SIZE];
    char statement_ms[NUMBER_SIZE];
    char visited[NUMBER_SIZE];
    char rows[NUMBER_SIZE];
    char batches[NUMBER_SIZE];
    const char *const timeouts[] = { lock_ms, statement_ms };
    const char *const place[] = { execution->id, walk->until.array.at, walk->until_rows > 0 ? visited : NULL,
                                  rows, batches };
    struct batch_item items[BATCH_ITEMS] = {
        [BATCH_BEGIN] = { .query = &BEGIN },
        [BATCH_LIMITS] = { .query = &LIMITS, .parameters = timeouts },
        [BATCH_TAKE] = { .query = &ADVISORY_TAKE, .parameters = &execution->ledger->lock_key },
        [BATCH_UPDATE] = { .query = &update },
        [BATCH_STAYS] = { .query = &STAYS },
        [BATCH_CONSTRAINTS] = { .query = &SESSION_CONSTRAINTS },
        [BATCH_HOLD] = { .query = &ADVISORY_HOLD, .parameters = &execution->ledger->lock_key },
        [BATCH_OWN_LIMITS] = execution_add_limits(execution),
        [BATCH_ADVANCE] = { .query = &BACKFILL_ADVANCE, .parameters = place },
        [BATCH_COMMIT] = { .query = &COMMIT },
    };
    size_t failed;
    bool is_done;

    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[BATCH_ASIDE + i] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    (void)snprintf(lock_ms, sizeof lock_ms, "%lld", (long long)limits.lock_ms);
    (void)snprintf(statement_ms, sizeof statement_ms, "%lld", (long long)limits.statement_ms);
    (void)snprintf(visited, sizeof visited, "%lld", (long long)walk->until_rows);
    (void)snprintf(rows, sizeof rows, "%lld", (long long)next_rows);
    (void)snprintf(batches, sizeof batches, "%lld", (long long)walk->batches);
    add_update(walk, &sql);
    update.sql = sql.at;
    if (!lease_check(execution->lease, err))
        return false;
    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
    is_done = query_batch(execution->conn,
                          &(const struct batch) { .items = items,
                                                  .count = BATCH_ITEMS,
                                                  .cancellable = BATCH_COMMIT,
                                                  .rows = row,
                                                  .rows_of = BATCH_ADVANCE,
                                                  .failed = &failed },
                          err);
    watch_stop(execution->watch);
    return is_done || explain_batch(walk, failed, err);
}

bool backfill_walk_batch(struct backfill_walk *walk, struct walk_limits limits, int64_t next_rows,
                         struct error *err)
{
    auto_result struct result *row = NULL;
    int64_t changed;

    if (!run_batch(walk, limits, next_rows, &row, err))
        return false;
    changed = result_number(row, 0, 1);
    walk->batch_ms = result_number(row, 0, 2);
    key_free(&walk->done);
    walk->done = walk->until;
    walk->until = (struct backfill_key) { .is_known = false };
    walk->visited += walk->until_rows > 0 ? walk->until_rows : changed;
    walk->changed += changed;
    walk->execution->course.batches = ++walk->batches;
    return true;
}

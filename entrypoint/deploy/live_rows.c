#include "deploy/live_rows.h"

#include <stdlib.h>
#include <string.h>

#include "deploy/live_column.h"
#include "deploy/live_question.h"
#include "postgres/query.h"

enum { SQL_MOST = 8192, NOTE_MOST = 4096, PAGE_BYTES = 8192, SAMPLE_ROWS = 20000, SAMPLES = 5 };

/* Row security would hide rows instead of failing. */
#define LIMITS                                                                                               \
    "SET TRANSACTION READ ONLY; SET LOCAL lock_timeout = '100ms'; SET LOCAL statement_timeout = '1s';"       \
    " SET LOCAL row_security = off; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; "

/* What stands in the way of an answer concerns that one question, not the plan. */
static bool is_only_unanswered(struct live *live, const struct error *err)
{
    return err->class != ERROR_INTERRUPTED && err->class != ERROR_LOST && !connection_is_lost(live->conn);
}

/* Of names that an earlier pending statement makes. */
static bool is_about_missing(const struct error *err)
{
    return strcmp(err->sqlstate, "42703") == 0 || strcmp(err->sqlstate, "42P01") == 0;
}

static bool is_out_of_time(const struct error *err)
{
    return strcmp(err->sqlstate, "57014") == 0 || strcmp(err->sqlstate, "55P03") == 0;
}

static void note_unanswered(struct live *live, struct finding *finding, const struct error *err)
{
    auto_text struct text note = text_init(NOTE_MOST);

    if (is_about_missing(err))
        return;
    if (is_out_of_time(err))
        text_add_string(&note,
                        "whether its rows allow it is not known: looking would take more than a second");
    else
        text_add_format(&note, "whether its rows allow it is not known: %s", err->message);
    live_add_note(live, finding, note.at);
}

static bool ask(struct live *live, const char *sql, struct result **rows, size_t count, struct error *err)
{
    auto_text struct text whole = text_init(SQL_MOST);

    text_add_string(&whole, LIMITS);
    text_add_string(&whole, sql);
    return query_several(live->conn, &(const struct query) { .name = "plan_rows", .sql = whole.at }, rows,
                         count, err);
}

static bool is_changed_before(const struct live *live, const struct relation *table)
{
    for (size_t i = 0; i < live->changed_count; i++) {
        if (relation_is_same(&live->changed[i], table))
            return true;
    }
    return false;
}

static void judge(struct live *live, struct finding *finding, const struct row_question *question,
                  bool is_broken)
{
    if (!is_broken) {
        live_add_note(live, finding, question->holds);
        if (question->level != LEVELS)
            finding->level = question->level;
    } else if (is_changed_before(live, &finding->change.table))
        live_add_note(live, finding,
                      "its rows do not allow it now; a pending statement before it changes them");
    else if (live->has_code)
        live_add_note(
            live, finding,
            "its rows do not allow it now; what a pending statement before it does to them is not known");
    else {
        live_add_note(live, finding, question->breaks);
        finding->level = LEVEL_DANGEROUS;
        finding->is_refuted = true;
    }
}

static bool look_for_rows(struct live *live, struct finding *finding, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *rows = NULL;
    struct row_question question;

    if (!live_question_of(live, finding, &sql, &question, err))
        return false;
    if (sql.length == 0)
        return true;
    if (ask(live, sql.at, &rows, 1, err))
        judge(live, finding, &question, result_bool(rows, 0, 0));
    else if (is_only_unanswered(live, err))
        note_unanswered(live, finding, err);
    else
        return false;
    return true;
}

/* What the last line of EXPLAIN ANALYZE says, or 0. */
static double execution_ms(const struct result *rows)
{
    static const char label[] = "Execution Time: ";
    const char *last = rows == NULL ? "" : result_text(rows, result_rows(rows) - 1, 0);

    return strncmp(last, label, strlen(label)) == 0 ? strtod(last + strlen(label), NULL) : 0;
}

static struct duration_table measured_of(const struct live_table *table, double ms)
{
    double rows = (double)table->rows;
    double pages = (double)(table->bytes > PAGE_BYTES ? table->bytes / PAGE_BYTES : 1);
    double counted = table->rows < SAMPLE_ROWS ? rows : (double)SAMPLE_ROWS;

    return (struct duration_table) {
        .rows = rows,
        .pages = pages,
        .indexes = table->indexes,
        .speed = duration_speed(ms, counted, rows / pages),
    };
}

/* The server's own measure of counting some rows; the best of a few, as whatever else happens on the machine
 * only adds to it, and the first one may have to read them from the disk. */
static bool sample(struct live *live, struct live_table *table, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    struct result *rows[SAMPLES] = { NULL };
    double least_ms = 0;
    bool is_asked;

    for (size_t i = 0; i < SAMPLES; i++) {
        text_add_string(&sql,
                        "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY ON)"
                        " SELECT pg_catalog.count(*) FROM (SELECT FROM ");
        live_add_name(live->ledger, &table->name, &sql);
        text_add_format(&sql, " LIMIT %d) AS s; ", SAMPLE_ROWS);
    }
    is_asked = ask(live, sql.at, rows, SAMPLES, err);
    table->is_sampled = true;
    for (size_t i = 0; i < SAMPLES; i++) {
        double ms = execution_ms(rows[i]);

        if (ms > 0 && (least_ms <= 0 || ms < least_ms))
            least_ms = ms;
        result_free(rows[i]);
    }
    table->measured = measured_of(table, least_ms);
    return is_asked || is_only_unanswered(live, err);
}

static bool estimate(struct live *live, struct finding *finding, struct error *err)
{
    bool is_spared = finding->level == LEVEL_SAFE && finding->rule->level != LEVEL_SAFE;
    struct live_table *table;

    bool is_unknown_index =
        finding->change.action == ACTION_CREATE_INDEX && strcmp(finding->change.word, "btree") != 0;

    if (!live_works_on_table(finding) || is_unknown_index || is_spared || finding->table->rows < 0)
        return true;
    table = live_table_of(live, &finding->change.table, err);
    if (table == NULL || (!table->is_sampled && !sample(live, table, err)))
        return false;
    finding->takes = duration_estimate(finding->rule->work, &table->measured);
    return true;
}

static void note_changed(struct live *live, const struct finding *finding)
{
    enum action action = finding->change.action;

    live->has_code |= action == ACTION_CODE || action == ACTION_UNKNOWN;
    if (action != ACTION_INSERT && action != ACTION_UPDATE && action != ACTION_DELETE &&
        action != ACTION_MERGE && action != ACTION_TRUNCATE)
        return;
    live->changed = arena_grow(live->arena, live->changed, live->changed_count, &live->changed_capacity,
                               sizeof *live->changed);
    live->changed[live->changed_count++] = finding->change.table;
}

bool live_look_at_rows(struct live *live, struct forecast *forecast, struct error *err)
{
    for (size_t i = 0; i < forecast->count; i++) {
        struct prediction *prediction = &forecast->predictions[i];

        for (size_t j = 0; j < prediction->count; j++) {
            struct finding *finding = &prediction->findings[j];

            if (finding->is_live && finding->table->exists && finding->table->is_plain &&
                (!look_for_rows(live, finding, err) || !estimate(live, finding, err)))
                return false;
        }
        for (size_t j = 0; j < prediction->count; j++)
            note_changed(live, &prediction->findings[j]);
    }
    forecast_settle(forecast);
    return true;
}

#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "command.h"
#include "config/options.h"
#include "deploy/live.h"
#include "deploy/target.h"
#include "exits.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "history/script_file.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"
#include "print.h"
#include "sql/quote.h"

enum {
    NEWEST_SERVER = 180000, /* where none is asked */
    LINE_MOST = 16384,
    PLACE_MOST = 1024,
    SHOWN_SQL = 120,
};

void plan_add_table(const struct relation *relation, struct text *out)
{
    if (relation->name[0] != '\0')
        quote_qualified(relation->schema, relation->name, out);
}

static void add_filled(const char *template, const struct planned_statement *statement,
                       const struct finding *finding, struct text *out)
{
    struct slice text =
        statement_text(statement->migration->forecast.script, &statement->prediction->statement);

    effect_add_filled(template, &finding->change, text, out);
}

void plan_add_reason(const struct planned_statement *statement, const struct finding *finding,
                     struct text *out)
{
    add_filled(finding->rule->reason, statement, finding, out);
}

void plan_add_cure(const struct planned_statement *statement, const struct finding *finding, struct text *out)
{
    if (finding->rule->cure != NULL)
        add_filled(finding->rule->cure, statement, finding, out);
}

/* "633 MB" */
static void add_bytes(int64_t bytes, struct text *out)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    int64_t count = bytes / 1024;
    size_t unit = 0;

    for (; count >= 10000 && unit + 1 < array_length(units); unit++)
        count /= 1024;
    text_add_format(out, "%lld %s", (long long)count, units[unit]);
}

static void add_size(const struct live_table *table, struct text *out)
{
    if (table->rows < 0) {
        text_add_string(out, "its size is not known before it is analyzed");
        return;
    }
    text_add_format(out, "about %lld row%s in ", (long long)table->rows, text_plural((size_t)table->rows));
    add_bytes(table->bytes, out);
    if (table->indexes > 0) {
        text_add_format(out, ", %lld index%s in ", (long long)table->indexes,
                        table->indexes == 1 ? "" : "es");
        add_bytes(table->index_bytes, out);
    }
    if (table->partitions > 0)
        text_add_format(out, ", %lld partition%s", (long long)table->partitions,
                        text_plural((size_t)table->partitions));
}

void plan_add_live(const struct finding *finding, struct text *out)
{
    if (!finding->is_live)
        return;
    text_add_string(out, "; live: ");
    if (finding->note != NULL)
        text_add_string(out, finding->note);
    if (finding->note != NULL && finding->table->exists)
        text_add_string(out, "; ");
    if (finding->table->exists)
        add_size(finding->table, out);
    if (finding->held_by != NULL)
        text_add_format(out, "; it would wait for %s", finding->held_by);
}

/* "20260105_orders:12" */
static void add_place(const struct planned_statement *statement, struct text *out)
{
    text_add_shown_line(out, statement->migration->name);
    text_add_format(out, ":%zu", statement->prediction->statement.line);
}

/* "AccessExclusiveLock on "orders", rewrite: "; nothing where nothing is locked. */
static void add_effect(const struct finding *finding, struct text *out)
{
    const struct rule *rule = finding->rule;

    if (rule->lock == TABLE_LOCK_NONE)
        return;
    text_add_string(out, TABLE_LOCK_NAMES[rule->lock]);
    if (finding->change.table.name[0] != '\0')
        text_add_string(out, " on ");
    plan_add_table(&finding->change.table, out);
    text_add_format(out, ", %s: ", WORK_NAMES[rule->work]);
}

/* Widths of the columns. */
struct columns {
    int place;
    int rule;
};

static int wider(int width, const char *text)
{
    int count = (int)utf8_count(text, strlen(text));

    return count > width ? count : width;
}

static struct columns measure(const struct plan *plan)
{
    struct columns columns = { .place = 0 };

    for (size_t i = 0; i < plan->statement_count; i++) {
        auto_text struct text place = text_init(PLACE_MOST);

        add_place(&plan->statements[i], &place);
        columns.place = wider(columns.place, place.at);
        columns.rule = wider(columns.rule, plan->statements[i].prediction->findings[0].rule->name);
    }
    return columns;
}

static void print_part(const char *label, const struct text *text)
{
    auto_text struct text shown = text_init(LINE_MOST);

    text_add_shown_line(&shown, text->at);
    if (shown.length > 0)
        print_line("           %-9s %s", label, shown.at);
}

static void print_plain_part(const char *label, const char *words)
{
    if (words != NULL && words[0] != '\0')
        print_line("           %-9s %s", label, words);
}

static void print_finding(const struct planned_statement *statement, const struct finding *finding)
{
    auto_text struct text why = text_init(LINE_MOST);
    auto_text struct text how = text_init(LINE_MOST);
    auto_text struct text because = text_init(LINE_MOST);

    text_add_format(&why, "%s (%s): ", finding->rule->name, LEVEL_NAMES[finding->level]);
    add_effect(finding, &why);
    plan_add_reason(statement, finding, &why);
    plan_add_live(finding, &why);
    plan_add_cure(statement, finding, &how);
    text_add_string(&because, finding->because == NULL ? "" : finding->because);
    print_part("why", &why);
    print_plain_part("meanwhile", TABLE_LOCK_WAITS[finding->rule->lock]);
    print_plain_part("old code", finding->rule->breaks_old_code ? "may fail" : "");
    print_plain_part("undo", finding->rule->is_final ? "cannot be undone" : "");
    print_part("allowed", &because);
    print_part("how", &how);
}

/* The beginning of the statement, on one line. */
static void print_sql(const struct planned_statement *statement)
{
    struct slice text =
        statement_text(statement->migration->forecast.script, &statement->prediction->statement);
    auto_text struct text sql = text_init(LINE_MOST);
    char shown[SHOWN_SQL];

    text_add_valid(&sql, text.at, text.length < LINE_MOST / 4 ? text.length : LINE_MOST / 4);
    for (size_t i = 0; i < sql.length; i++) {
        if (sql.at[i] == '\n' || sql.at[i] == '\r')
            sql.at[i] = ' ';
    }
    text_copy_cut(shown, sizeof shown, sql.at);
    text_reset(&sql);
    text_add_string(&sql, shown);
    print_part("sql", &sql);
}

static void print_statement(const struct planned_statement *statement, struct columns columns,
                            bool is_verbose)
{
    const struct prediction *prediction = statement->prediction;
    const struct finding *worst = &prediction->findings[0];
    auto_text struct text place = text_init(PLACE_MOST);
    auto_text struct text effect = text_init(LINE_MOST);
    auto_text struct text shown = text_init(LINE_MOST);

    add_place(statement, &place);
    add_effect(worst, &effect);
    plan_add_reason(statement, worst, &effect);
    plan_add_live(worst, &effect);
    text_add_shown_line(&shown, effect.at);
    print_line("%-9s  %s%*s  %-*s  %s%s", LEVEL_NAMES[prediction->level], place.at,
               columns.place - (int)utf8_count(place.at, place.length), "", columns.rule, worst->rule->name,
               shown.at, worst->because == NULL ? "" : " (allowed)");
    if (!is_verbose)
        return;
    print_sql(statement);
    for (size_t i = 0; i < prediction->count; i++)
        print_finding(statement, &prediction->findings[i]);
}

static void print_plan(const struct plan *plan, bool is_verbose)
{
    struct columns columns = measure(plan);

    print_line(
        "%zu statement%s in %zu %smigration%s, by %s: %zu dangerous, %zu unknown, %zu careful, %zu safe",
        plan->statement_count, text_plural(plan->statement_count), plan->count,
        plan->database == NULL ? "" : "pending ", text_plural(plan->count),
        plan->database == NULL ? "their text" : "their text and (live) the database",
        plan->levels[LEVEL_DANGEROUS], plan->levels[LEVEL_UNKNOWN], plan->levels[LEVEL_CAREFUL],
        plan->levels[LEVEL_SAFE]);
    for (size_t i = 0; i < plan->statement_count; i++)
        print_statement(&plan->statements[i], columns, is_verbose);
    if (plan->level > LEVEL_SAFE && !is_verbose)
        print_line("\nFor the safe way, statement by statement: tidelock plan -v");
}

/* The worst first, otherwise in their order: a counting sort. */
static void gather(struct arena *arena, struct plan *plan)
{
    size_t at = 0;

    for (size_t i = 0; i < plan->count; i++)
        plan->statement_count += plan->migrations[i].forecast.count;
    plan->statements = arena_alloc(arena, plan->statement_count, sizeof *plan->statements);
    for (int level = LEVELS - 1; level >= 0; level--) {
        size_t before = at;

        for (size_t i = 0; i < plan->count; i++) {
            const struct planned *migration = &plan->migrations[i];

            for (size_t j = 0; j < migration->forecast.count; j++) {
                if ((int)migration->forecast.predictions[j].level == level)
                    plan->statements[at++] =
                        (struct planned_statement) { .migration = migration,
                                                     .prediction = &migration->forecast.predictions[j] };
            }
        }
        plan->levels[level] = at - before;
        if (at > before && (int)plan->level < level)
            plan->level = (enum level)level;
    }
}

/* What is not shown teaches about types all the same. */
static bool is_due(const struct history *history, size_t index)
{
    return history == NULL || history->items[index].is_due;
}

/* Judges a script that has been read; it is kept in the arena. */
static bool judge(struct arena *arena, int server_version, const char *path, const struct text *script,
                  struct forecast_memory *memory, struct forecast *out, struct error *err)
{
    struct slice kept = { .at = arena_copy(arena, script->at, script->length), .length = script->length };

    if (script_check_text(path, kept, err) &&
        forecast_read(arena, path, kept, server_version, memory, out, err))
        return true;
    /* Nothing was run: it is the file that is wrong. */
    err->class = ERROR_USAGE;
    return false;
}

/* `history` is NULL where there is no database: then everything is due. */
static bool read_folder(struct arena *arena, const struct folder *folder, const struct history *history,
                        struct plan *out, struct error *err)
{
    struct forecast_memory memory = { .count = 0 };

    out->migrations = arena_alloc(arena, folder->count, sizeof *out->migrations);
    for (size_t i = 0; i < folder->count; i++) {
        struct planned *planned = &out->migrations[out->count];
        const struct migration *migration = &folder->items[i];
        auto_text struct text script = text_init(SCRIPT_BYTES_MOST);

        planned->name = migration->name;
        if (!migration_read(folder->dialect, migration, &script, err) ||
            !judge(arena, out->server_version, migration->script_path, &script, &memory, &planned->forecast,
                   err))
            return false;
        out->count += is_due(history, i);
    }
    return true;
}

static bool read_files(struct arena *arena, const struct config *config, struct plan *out, struct error *err)
{
    struct forecast_memory memory = { .count = 0 };

    out->migrations = arena_alloc(arena, config->files.count, sizeof *out->migrations);
    for (; out->count < config->files.count; out->count++) {
        struct planned *planned = &out->migrations[out->count];
        auto_text struct text script = text_init(SCRIPT_BYTES_MOST);

        planned->name = config->files.items[out->count];
        if (!file_read_stream(planned->name, &script, err) ||
            !judge(arena, out->server_version, planned->name, &script, &memory, &planned->forecast, err))
            return false;
    }
    return true;
}

/* What the database holds and does not hold. */
static bool compare(struct arena *arena, struct connection *conn, const struct target *target,
                    struct ledger *ledger, struct history *history, struct error *err)
{
    const struct ledger_request wanted = { target->folder.dialect, target->endpoint.schema, LEDGER_NAMES,
                                           .is_only_read = true };

    if (!ledger_read(arena, conn, &wanted, ledger, err))
        return false;
    history_compare(arena, &target->folder, ledger->rows, ledger->count, history);
    return true;
}

static bool read_pending(struct arena *arena, const struct config *config, struct plan *out,
                         struct error *err)
{
    auto_connection struct connection *conn = NULL;
    struct live_memory memory = { .count = 0 };
    struct history history;
    struct ledger ledger;
    struct target target;

    if (!target_find(arena, config, false, &target, err) ||
        (conn = reach_database(config, &target.endpoint, NULL, err)) == NULL ||
        !compare(arena, conn, &target, &ledger, &history, err))
        return false;
    out->folder = target.folder.path;
    out->database = ledger.database;
    out->server_version = connection_server_version(conn);
    if (!read_folder(arena, &target.folder, &history, out, err))
        return false;
    for (size_t i = 0; i < out->count; i++) {
        if (!live_look(arena, conn, &ledger, &memory, &out->migrations[i].forecast, err))
            return false;
    }
    return true;
}

static bool read_plan(struct arena *arena, const struct config *config, struct plan *out, struct error *err)
{
    struct target target;

    if (config->files.count > 0)
        return read_files(arena, config, out, err);
    if (!config->is_offline)
        return read_pending(arena, config, out, err);
    if (!target_find_folder(arena, config, &target, err))
        return false;
    out->folder = target.folder.path;
    return read_folder(arena, &target.folder, NULL, out, err);
}

static bool has_failed(const struct plan *plan, int fail_on)
{
    return (fail_on == FAIL_ON_CAREFUL && plan->level >= LEVEL_CAREFUL) ||
           (fail_on == FAIL_ON_DANGEROUS && plan->level >= LEVEL_DANGEROUS);
}

static void print_schema(void)
{
    for (size_t i = 0; PLAN_SCHEMA[i] != NULL; i++) {
        print_text(PLAN_SCHEMA[i]);
        print_text("\n");
    }
}

static bool plan_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct plan plan = { .server_version = NEWEST_SERVER };

    if (config->wants_json_schema) {
        print_schema();
        return true;
    }
    if (config->wants_rules) {
        if (config->wants_json)
            print_json(rules_json());
        else
            rules_print();
        return true;
    }
    if (!read_plan(arena, config, &plan, err))
        return query_failure_explain(err, "Nothing was changed.");
    gather(arena, &plan);
    if (config->wants_json)
        print_json(plan_json(&plan));
    else
        print_plan(&plan, config->is_verbose);
    if (has_failed(&plan, config->fail_on))
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_PLAN = {
    .name = "plan",
    .usage = "[--offline | --files FILE...] [-v] [--json] [--fail-on LEVEL]",
    .summary = "say what pending statements would do to the live database; change nothing",
    .about =
        "Says of each statement of each pending migration which lock it takes, whether it scans a table, "
        "builds an index or rewrites it, whether code that runs now may fail, and, with -v, the safe way. "
        "The worst comes first. With --offline no database is asked, and every migration of the folder is "
        "judged. A statement that PostgreSQL's own grammar or the table of rules does not know is unknown, "
        "never safe.",
    .example = "tidelock plan -v --fail-on dangerous",
    .options = FOR_PLAN,
    .run = plan_run,
};

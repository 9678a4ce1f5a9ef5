#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/patience.h"
#include "command.h"
#include "config/options.h"
#include "deploy/live.h"
#include "deploy/live_rows.h"
#include "deploy/target.h"
#include "dialect/foreign.h"
#include "execution/mode.h"
#include "exits.h"
#include "fleet.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "history/script_file.h"
#include "postgres/handover.h"
#include "postgres/query.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"
#include "print.h"

/* The worst first, otherwise in their order: a counting sort. */
static void gather(struct arena *arena, struct plan *plan)
{
    size_t at = 0;

    for (size_t i = 0; i < plan->count; i++) {
        plan->statement_count += plan->migrations[i].forecast.count;
        precautions_add(&plan->precautions, &plan->migrations[i].forecast.directives);
    }
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

static bool is_due(const struct history *history, size_t index)
{
    return history == NULL || history->items[index].is_due;
}

/* NULL for a script that cannot be applied as it is. */
static const char *mode_of(const struct forecast *forecast, const struct script_wishes *wishes)
{
    const struct mode_question question = { .file = forecast->file,
                                            .script = forecast->script,
                                            .summary = &forecast->summary,
                                            .directives = &forecast->directives,
                                            .transaction = wishes->transaction,
                                            .mixed_hint = wishes->mixed_hint };
    struct error refused;
    enum mode mode;

    return mode_decide(&question, &mode, &refused) ? MODE_NAMES[mode] : NULL;
}

/* Nothing was run: it is the file that is wrong. */
static bool refuse_file(struct error *err)
{
    err->class = ERROR_USAGE;
    return false;
}

/* A script that has been read, and how its tool would run it. */
struct judged {
    const char *path;
    struct slice script;
    struct script_wishes wishes;
};

/* It is kept in the arena. */
static bool judge(struct forecasts *shared, const struct judged *judged, struct planned *out,
                  struct error *err)
{
    struct slice kept = { .at = arena_copy(shared->arena, judged->script.at, judged->script.length),
                          .length = judged->script.length };

    if (forecast_read(shared, judged->path, kept, &out->forecast, err)) {
        out->mode = mode_of(&out->forecast, &judged->wishes);
        return true;
    }
    return refuse_file(err);
}

static bool judge_migration(struct forecasts *shared, const struct folder *folder,
                            const struct migration *migration, struct planned *out, struct error *err)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct script_wishes wishes;

    if (!migration_read(folder->dialect, migration, &script, err))
        return false;
    if (!script_check_text(folder->dialect, migration->script_path, text_slice(&script), err) ||
        !migration_prepare(folder, migration, &script, &wishes, err))
        return refuse_file(err);
    return judge(shared, &(const struct judged) { migration->script_path, text_slice(&script), wishes }, out,
                 err);
}

/* `history` is NULL where there is no database: then everything is due. */
static bool read_folder(struct arena *arena, const struct folder *folder, const struct history *history,
                        struct plan *out, struct error *err)
{
    struct forecasts shared = { .arena = arena,
                                .server_version = out->server_version,
                                .levels = &out->levels_set };

    out->migrations = arena_alloc(arena, folder->count, sizeof *out->migrations);
    for (size_t i = 0; i < folder->count; i++) {
        struct planned *planned = &out->migrations[out->count];
        const struct migration *migration = &folder->items[i];

        if (!is_due(history, i))
            continue;
        planned->name = migration->name;
        planned->index = i;
        if (!judge_migration(&shared, folder, migration, planned, err))
            return false;
        out->count++;
    }
    return true;
}

/* Whose the file is: --format says it, or else a comment that only one tool writes. */
static const struct dialect *dialect_of(const char *path, struct slice script, const struct config *config)
{
    const char *slash = strrchr(path, '/');
    enum format format = (enum format)config->format;

    if (format == FORMAT_AUTO) {
        const struct foreign_tool *tool = foreign_tool_of(slash == NULL ? path : slash + 1, script);

        if (tool != NULL && tool->mark != NULL)
            format = tool->format;
    }
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        if (DIALECTS[i]->format == format)
            return DIALECTS[i];
    }
    return DIALECTS[0];
}

static bool judge_file(struct forecasts *shared, const char *path, const struct config *config,
                       struct planned *out, struct error *err)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct migration migration = { .name = path, .key = path, .script_path = path };
    struct folder folder = { .path = path, .items = &migration, .count = 1 };
    struct script_wishes wishes;

    if (!file_read_stream(path, &script, err))
        return false;
    folder.dialect = dialect_of(path, text_slice(&script), config);
    if (!script_check_text(folder.dialect, path, text_slice(&script), err) ||
        !migration_prepare(&folder, &migration, &script, &wishes, err))
        return refuse_file(err);
    return judge(shared, &(const struct judged) { path, text_slice(&script), wishes }, out, err);
}

static bool read_files(struct arena *arena, const struct config *config, struct plan *out, struct error *err)
{
    struct forecasts shared = { .arena = arena,
                                .server_version = out->server_version,
                                .levels = &out->levels_set };

    out->migrations = arena_alloc(arena, config->files.count, sizeof *out->migrations);
    for (; out->count < config->files.count; out->count++) {
        struct planned *planned = &out->migrations[out->count];

        planned->name = config->files.items[out->count];
        if (!judge_file(&shared, planned->name, config, planned, err))
            return false;
    }
    return true;
}

static bool compare(struct arena *arena, struct connection *conn, struct plan_comparison *out,
                    struct error *err)
{
    const struct folder *folder = &out->target.folder;
    const struct ledger_request wanted = { folder, out->target.endpoint.schema, LEDGER_NAMES,
                                           .is_only_read = true };

    if (!ledger_read(arena, conn, &wanted, &out->ledger, err) ||
        !ledger_check_schema(conn, &out->ledger, out->target.endpoint.tenant_schema, err))
        return false;
    history_compare(arena, folder, out->ledger.rows, out->ledger.count, &out->history);
    return true;
}

/* Catalogs may be locked, too. */
static const struct query PATIENCE = { .name = "plan_patience", .sql = "SET lock_timeout = '3s'" };

static bool look_at_catalog(struct live *live, struct plan *plan, struct error *err)
{
    if (!query_several(live->conn, &PATIENCE, NULL, 0, err) ||
        !live_look_at_replicas(live, &plan->replicas, err))
        return false;
    for (size_t i = 0; i < plan->count; i++)
        live_expect(live, &plan->migrations[i].forecast);
    for (size_t i = 0; i < plan->count; i++) {
        if (!live_look(live, &plan->migrations[i].forecast, err))
            return false;
    }
    return true;
}

static bool is_all_safe(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->migrations[i].forecast.level > LEVEL_SAFE)
            return false;
    }
    return true;
}

/* How much tables are used is what happens between two looks; the rows are looked at meanwhile. */
static bool look_at_rows(struct live *live, struct plan *plan, struct error *err)
{
    struct patience pause = { .until = deadline_in(LIVE_USE_APART_MS) };

    if (!live_look_at_use(live, false, err))
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        if (!live_look_at_rows(live, &plan->migrations[i].forecast, err))
            return false;
    }
    if (is_all_safe(plan) || !live_has_large(live))
        return true;
    return patience_pause(&pause, LIVE_USE_APART_MS, err) && live_look_at_use(live, true, err);
}

static bool read_pending(struct arena *arena, const struct config *config, struct plan *out,
                         struct error *err)
{
    auto_connection struct connection *conn = NULL;
    struct live live = { .arena = arena };
    struct plan_comparison found;

    if (!target_find(arena, config, false, &found.target, err) ||
        (conn = reach_database(config, &found.target.endpoint, NULL, err)) == NULL ||
        !compare(arena, conn, &found, err))
        return false;
    out->folder = found.target.folder.path;
    out->database = found.ledger.database;
    out->server_version = connection_server_version(conn);
    if (!read_folder(arena, &found.target.folder, &found.history, out, err))
        return false;
    live.conn = conn;
    live.ledger = &found.ledger;
    if (!look_at_catalog(&live, out, err) || (config->reads_rows && !look_at_rows(&live, out, err)) ||
        (config->shadow != NULL && !plan_rehearse(&found, conn, config, out, err)))
        return false;
    handover_leave(config->handover, &found.target.endpoint, steal(&conn), true);
    return true;
}

static bool read_plan(struct arena *arena, const struct config *config, struct plan *out, struct error *err)
{
    struct target target = { .begun = NULL };

    if (config->files.count > 0)
        return read_files(arena, config, out, err);
    if (!config->is_offline)
        return read_pending(arena, config, out, err);
    if (!target_find_folder(arena, config, &target, err))
        return false;
    out->folder = target.folder.path;
    return read_folder(arena, &target.folder, NULL, out, err);
}

static void print_as(const struct plan *plan, const struct config *config)
{
    if (config->wants_json)
        print_json(plan_json(plan));
    else if (config->plan_format == PLAN_FORMAT_SARIF)
        print_json(plan_sarif(plan));
    else if (config->plan_format == PLAN_FORMAT_GITLAB)
        print_json(plan_gitlab(plan));
    else if (config->plan_format == PLAN_FORMAT_GITHUB)
        plan_print_github(plan);
    else if (config->plan_format == PLAN_FORMAT_MARKDOWN)
        plan_print_markdown(plan);
    else
        plan_print(plan, config->is_verbose);
}

/* One output, in one form; and what is rehearsed comes after what a database holds. */
static bool check_usage(const struct config *config, struct error *err)
{
    if (config->shadow != NULL && (config->is_offline || config->files.count > 0)) {
        error_set(err, ERROR_USAGE, "--shadow and %s exclude each other",
                  config->is_offline ? "--offline" : "--files");
        return error_hint(err, "Only what is pending in a database is rehearsed. Leave one of them out.");
    }
    if (!config->wants_json || config->plan_format == PLAN_FORMAT_TEXT)
        return true;
    error_set(err, ERROR_USAGE, "--json and --output exclude each other");
    return error_hint(err, "Leave one of them out.");
}

static bool has_failed(const struct plan *plan, int fail_on)
{
    return (fail_on == FAIL_ON_CAREFUL && plan->level >= LEVEL_CAREFUL) ||
           (fail_on == FAIL_ON_DANGEROUS && plan->level >= LEVEL_DANGEROUS);
}

/* What was read, summed up. */
static void complete(struct arena *arena, const struct config *config, struct plan *plan)
{
    plan->precautions = precautions_of(config);
    gather(arena, plan);
    if (plan->count == 0)
        plan->precautions = (struct precautions) { .backup_ms = 0 };
}

static bool plan_tenant(const struct tenant_run *run, struct error *err)
{
    struct plan plan = { .folder = NULL };

    if (!rule_levels_read(run->config->rule_levels.text, run->config->rule_levels.origin, &plan.levels_set,
                          err) ||
        !read_pending(run->arena, run->config, &plan, err))
        return query_failure_explain(err, "Nothing was changed.");
    complete(run->arena, run->config, &plan);
    if (plan.count == 0)
        fleet_say(run, 0, "nothing pending");
    else
        fleet_say(run, plan.count, "%zu pending, at worst %s", plan.count, LEVEL_NAMES[plan.level]);
    fleet_judge(run, plan.count == 0, has_failed(&plan, run->config->fail_on));
    if (run->config->wants_json)
        fleet_attach(run, plan_json(&plan));
    else if (run->config->is_verbose && plan.count > 0) {
        print_line("%s", run->tenant->name);
        plan_print(&plan, true);
        print_text("\n");
    }
    return true;
}

static bool plan_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct plan plan = { .folder = NULL };

    if (config->wants_json_schema && !tenants_are_asked_for(config)) {
        print_each(PLAN_SCHEMA);
        return true;
    }
    if (config->wants_rules) {
        if (config->wants_json)
            print_json(rules_json());
        else
            rules_print();
        return true;
    }
    if (tenants_are_asked_for(config))
        return fleet_run(config,
                         &(const struct fleet_words) { .run = plan_tenant,
                                                       .counted = "pending",
                                                       .details = "plan",
                                                       .fine = "with nothing pending",
                                                       .other = "with something pending",
                                                       .is_no = true },
                         NULL, exit_code, err);
    if (!check_usage(config, err) ||
        !rule_levels_read(config->rule_levels.text, config->rule_levels.origin, &plan.levels_set, err) ||
        !read_plan(arena, config, &plan, err))
        return query_failure_explain(err, "Nothing was changed.");
    complete(arena, config, &plan);
    print_as(&plan, config);
    if (has_failed(&plan, config->fail_on))
        *exit_code = EXIT_NO;
    return true;
}

const struct command COMMAND_PLAN = {
    .name = "plan",
    .usage = "[--offline | --files FILE... | --shadow URL] [-v | --json | --output FORMAT] [--fail-on LEVEL]",
    .summary = "say what pending statements would do to the live database; change nothing",
    .about =
        "Says of each statement of each pending migration which lock it takes, whether it scans a table, "
        "builds an index or rewrites it, whether code that runs now may fail, and, with -v, the safe way. "
        "The worst comes first. With --offline no database is asked, and every migration of the folder is "
        "judged. With --shadow, pending scripts also run in an empty database that holds what the migrations before "
        "them make, and what they do there is measured. A statement that PostgreSQL's own grammar or the table of rules does not know is unknown, "
        "never safe.",
    .example = "tidelock plan -v --fail-on dangerous",
    .options = FOR_PLAN,
    .run = plan_run,
};

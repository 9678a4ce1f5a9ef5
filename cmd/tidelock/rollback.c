#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/deployment.h"
#include "deploy/target.h"
#include "history/folder.h"
#include "history/inverse.h"
#include "history/script_file.h"
#include "print.h"
#include "print_precautions.h"
#include "reporting.h"
#include "schema/forecast.h"
#include "version.h"

enum { REASON_MOST = 4096 };

static void print_result(const struct deployment_report *report)
{
    if (report->applied_count == 0)
        print_line("Nothing to roll back.");
    for (size_t i = 0; i < report->applied_count; i++)
        print_line_of(report->applied[i].name, "Migration %s rolled back.", report->applied[i].name);
}

/* What plan says of its statements, by their text. */
static bool print_statements(const struct config *config, const struct target *target,
                             const struct due_migration *due, struct forecasts *shared, struct error *err)
{
    const struct dialect *dialect = target->folder.dialect;
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    struct script_wishes wishes;
    struct migration inverse;
    struct forecast forecast;

    if (!inverse_of(config->arena, dialect, folder_find(&target->folder, due->name), &inverse, err) ||
        !migration_read(dialect, &inverse, &bytes, err) ||
        !migration_prepare(&target->folder, &inverse, &bytes, &wishes, err) ||
        !forecast_read(shared, inverse.script_path, script_without_bom(text_slice(&bytes)), &forecast, err))
        return false;
    print_line_of(due->name, "  %s: %s, %zu statement%s", due->name, inverse.script_path, due->statements,
                  text_plural(due->statements));
    for (size_t i = 0; i < forecast.count; i++) {
        const struct prediction *prediction = &forecast.predictions[i];
        const struct finding *worst = &prediction->findings[0];
        auto_text struct text reason = text_init(REASON_MOST);

        effect_add_filled(worst->rule->reason, &worst->change,
                          statement_text(forecast.script, &prediction->statement), &reason);
        print_line_of(due->name, "    line %zu, %s: %s: %s", prediction->statement.line,
                      LEVEL_NAMES[worst->level], worst->rule->name, reason.at);
    }
    if (due->unseen_from > 0)
        print_line_of(due->name,
                      "    from line %zu on, what else it would lose is found out only when it runs",
                      due->unseen_from);
    return true;
}

static bool rehearse(const struct config *config, struct target *target, struct error *err)
{
    struct progress progress = progress_begin(NULL, version_build());
    struct deployment_report report = { .applied_count = 0 };
    struct rule_levels levels = { .count = 0 };
    struct forecasts shared = { .arena = config->arena, .levels = &levels };

    reporting_log_start(target);
    if (!deployment_go_back(config, target, &progress, &report, err))
        return false;
    if (report.due_count == 0) {
        print_result(&report);
        return true;
    }
    print_line("Would roll back %zu migration%s in \"%s\", schema \"%s\":", report.due_count,
               text_plural(report.due_count), report.database, report.schema);
    for (size_t i = 0; i < report.due_count; i++) {
        if (!print_statements(config, target, &report.due[i], &shared, err))
            return false;
    }
    print_precautions(&report.precautions);
    print_line("\nNothing was changed.");
    return true;
}

static bool check_usage(const struct config *config, struct error *err)
{
    if (config->to == NULL || !config->wants_all)
        return true;
    error_set(err, ERROR_USAGE, "rollback takes --to NAME or --all, not both");
    return error_hint(err, "Leave --all out to keep the migrations up to \"%s\".", config->to);
}

static bool rollback_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct deployment_report report = { .applied_count = 0 };
    struct reporting reporting;
    struct target target;
    bool is_found = check_usage(config, err) && target_find(arena, config, false, &target, err) &&
                    inverse_check(target.folder.dialect, err);
    bool is_done;

    (void)exit_code;
    if (config->is_dry_run)
        return is_found && rehearse(config, &target, err);
    reporting_begin(&reporting, config, is_found ? &target.endpoint : NULL);
    reporting.is_result_printed = true;
    reporting.progress.goes_back = true;
    if (is_found)
        reporting_log_start(&target);
    is_done = is_found && deployment_go_back(config, &target, &reporting.progress, &report, err);
    reporting_end(&reporting, is_done ? NULL : err);
    if (is_done && log_format_in_use() == LOG_TEXT)
        print_result(&report);
    return is_done;
}

const struct command COMMAND_ROLLBACK = {
    .name = "rollback",
    .usage = "[--to NAME | --all] [--allow-loss NAME...] [--dry-run]",
    .summary = "undo applied migrations by the inverses that were written for them",
    .about =
        "Runs the inverse of the newest applied migration (down.sql beside migration.sql; the down part of "
        "goose, dbmate, golang-migrate and sqlx), or those of all behind --to, or with --all of every one, the newest first. Each runs in "
        "one transaction with the edit of the ledger, so that the migration is pending again. What would lose "
        "rows or values is refused, unless --allow-loss names it.",
    .example = "tidelock rollback --to 20260406120000_double_toll --dry-run",
    .options = FOR_ROLLBACK,
    .run = rollback_run,
};

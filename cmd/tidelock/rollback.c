#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/deployment.h"
#include "deploy/target.h"
#include "history/inverse.h"
#include "print.h"
#include "reporting.h"
#include "version.h"

static void print_result(const struct deployment_report *report)
{
    if (report->applied_count == 0)
        print_line("Nothing to roll back.");
    for (size_t i = 0; i < report->applied_count; i++)
        print_line_of(report->applied[i].name, "Migration %s rolled back.", report->applied[i].name);
}

static void print_rehearsal(const struct deployment_report *report)
{
    if (report->due_count == 0) {
        print_result(report);
        return;
    }
    print_line("Would roll back %zu migration%s in \"%s\", schema \"%s\":", report->due_count,
               text_plural(report->due_count), report->database, report->schema);
    for (size_t i = 0; i < report->due_count; i++)
        print_line_of(report->due[i].name, "  %s (%zu statement%s)", report->due[i].name,
                      report->due[i].statements, text_plural(report->due[i].statements));
    print_line("\nNothing was changed.");
}

static bool rehearse(const struct config *config, struct target *target, struct error *err)
{
    struct progress progress = progress_begin(NULL, version_build());
    struct deployment_report report = { .applied_count = 0 };

    reporting_log_start(target);
    if (!deployment_go_back(config, target, &progress, &report, err))
        return false;
    print_rehearsal(&report);
    return true;
}

static bool rollback_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct deployment_report report = { .applied_count = 0 };
    struct reporting reporting;
    struct target target;
    bool is_found =
        target_find(arena, config, false, &target, err) && inverse_check(target.folder.dialect, err);
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
    .usage = "[--to NAME] [--allow-loss NAME...] [--dry-run]",
    .summary = "undo applied migrations by the inverses that were written for them",
    .about =
        "Runs the inverse of the newest applied migration (down.sql beside migration.sql; the down part of "
        "goose, dbmate, golang-migrate and sqlx), or those of all behind --to, the newest first. Each runs in "
        "one transaction with the edit of the ledger, so that the migration is pending again. What holds rows "
        "or values is not dropped, unless --allow-loss names it.",
    .example = "tidelock rollback --to 20260406120000_double_toll --dry-run",
    .options = FOR_ROLLBACK,
    .run = rollback_run,
};

#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/deployment.h"
#include "deploy/target.h"
#include "print.h"
#include "reporting.h"

static void print_report(const struct deployment_report *report)
{
    if (report->applied_count == 0) {
        print_line("No pending migrations to apply.");
        return;
    }
    print_line("\nApplied %zu of %zu migration%s to \"%s\", schema \"%s\":", report->applied_count,
               report->folder->count, text_plural(report->folder->count), report->database, report->schema);
    for (size_t i = 0; i < report->applied_count; i++)
        print_line("  %s", report->applied[i].name);
}

static bool deploy_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct reporting reporting;
    struct target target;
    struct deployment_report report = { .applied_count = 0 };
    bool is_done;

    (void)exit_code;
    reporting_begin(&reporting, config);
    is_done = target_find_and_begin(arena, config, &target, err);
    if (is_done) {
        print_line("%zu migration%s found in %s", target.folder.count, text_plural(target.folder.count),
                   target.folder.path);
        is_done = deployment_run(config, &target, &reporting.progress, &report, err);
    }
    reporting_end(&reporting, is_done ? NULL : err);
    if (is_done || report.applied_count > 0)
        print_report(&report);
    if (is_done && report.applied_count > 0)
        print_line("\nAll migrations have been successfully applied.");
    return is_done;
}

const struct command COMMAND_DEPLOY = {
    .name = "deploy",
    .usage = "",
    .summary = "apply everything pending, then exit",
    .about =
        "Compares the folder with the ledger. If nothing is pending, exits without taking a lock. "
        "Otherwise takes the leader lock, applies the pending migrations in order, and stops at the first "
        "failure. Any number of replicas can run it at the same time.",
    .example = "tidelock deploy --migrations db/migrations --log-format json",
    .options = FOR_DEPLOY,
    .run = deploy_run,
};

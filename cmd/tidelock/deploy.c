#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "deploy/deployment.h"
#include "deploy/target.h"
#include "deploy/wait.h"
#include "exits.h"
#include "fleet.h"
#include "history/folder.h"
#include "print.h"
#include "print_precautions.h"
#include "reporting.h"
#include "version.h"

/* Prisma's words. */
static void print_result(const struct deployment_report *report)
{
    const char *last = folder_limit_name(report->folder);

    if (report->applied_count > 0)
        print_line("All migrations%s%s have been successfully applied.",
                   last == NULL ? "" : " up to and including ", last == NULL ? "" : last);
    else
        print_line("No pending migrations to apply%s%s.", last == NULL ? "" : ", up to and including ",
                   last == NULL ? "" : last);
}

static void print_rehearsal(const struct deployment_report *report)
{
    if (report->due_count == 0) {
        print_result(report);
        return;
    }
    print_line("Would apply %zu of %zu migration%s to \"%s\", schema \"%s\":", report->due_count,
               report->folder->count, text_plural(report->folder->count), report->database, report->schema);
    for (size_t i = 0; i < report->due_count; i++) {
        const struct due_migration *due = &report->due[i];

        print_line_of(due->name, "  %s (%s, %zu statement%s%s)", due->name, MODE_NAMES[due->mode],
                      due->statements, text_plural(due->statements), due->is_resumed ? ", resumed" : "");
    }
    print_precautions(&report->precautions);
    print_line("\nNothing was changed.");
}

/* Nobody waits for it: no file, metric or notice says that it ran. */
static bool rehearse(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct progress progress = progress_begin(NULL, version_build());
    struct deployment_report report = { .applied_count = 0 };
    struct target target;
    bool is_right;

    if (!target_find_database(arena, config, &target, err) ||
        !target_find_and_begin(arena, config, &target, err))
        return false;
    reporting_log_start(&target);
    is_right = deployment_run(config, &target, &progress, &report, err);
    reporting_count_pending(&progress);
    if (!is_right)
        return false;
    print_rehearsal(&report);
    if (config->wants_exit_code && report.due_count > 0)
        *exit_code = EXIT_NO;
    return true;
}

/* What is in a copy of the template, nobody knows yet. */
static bool say_creation(const struct tenant_run *run, struct error *err)
{
    struct target target = { .begun = NULL };
    size_t count;

    if (run->config->made_from != NULL) {
        fleet_say(run, 1, "would be created from template \"%s\"", run->config->made_from);
        return true;
    }
    if (!target_find(run->arena, run->config, false, &target, err))
        return false;
    count = target.folder.count;
    fleet_say(run, count, "would be created, and get %zu migration%s", count, text_plural(count));
    return true;
}

static bool deploy_tenant(const struct tenant_run *run, struct error *err)
{
    struct progress progress = progress_begin(NULL, version_build());
    struct deployment_report report = { .applied_count = 0 };
    struct target target;
    bool is_done;

    if (run->result->creation == CREATION_DUE)
        return say_creation(run, err);
    is_done = target_find_database(run->arena, run->config, &target, err) &&
              target_find_and_begin(run->arena, run->config, &target, err) &&
              deployment_run(run->config, &target, &progress, &report, err);
    if (run->config->is_dry_run && report.due_count > 0)
        fleet_say(run, report.due_count, "would apply %zu migration%s", report.due_count,
                  text_plural(report.due_count));
    else if (report.applied_count > 0)
        fleet_say(run, report.applied_count, "applied %zu migration%s", report.applied_count,
                  text_plural(report.applied_count));
    else
        fleet_say(run, 0, "nothing pending");
    return is_done;
}

const struct fleet_words DEPLOY_TENANTS = { .run = deploy_tenant, .counted = "applied", .leads = true };

static bool deploy_tenants(const struct config *config, int *exit_code, struct error *err)
{
    const struct fleet_words rehearsal = { .run = deploy_tenant,
                                           .counted = "pending",
                                           .fine = "with nothing pending",
                                           .other = "with something pending",
                                           .is_no = config->wants_exit_code };

    return config->is_dry_run ? fleet_run(config, &rehearsal, NULL, exit_code, err)
                              : fleet_run_reported(config, &DEPLOY_TENANTS, err);
}

static bool deploy_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct reporting reporting;
    struct target target;
    struct deployment_report report = { .applied_count = 0 };
    bool is_done;

    if (tenants_are_asked_for(config))
        return deploy_tenants(config, exit_code, err);
    if (config->is_dry_run)
        return rehearse(arena, config, exit_code, err);
    is_done = wait_check_replicas(config, err) && target_find_database(arena, config, &target, err);
    reporting_begin(&reporting, config, is_done ? &target.endpoint : NULL);
    reporting.is_result_printed = true;
    is_done = is_done && target_find_and_begin(arena, config, &target, err);
    if (is_done) {
        reporting_log_start(&target);
        is_done = deployment_run(config, &target, &reporting.progress, &report, err) &&
                  wait_for_replicas(config, &target, &reporting.progress, err);
    }
    reporting_end(&reporting, is_done ? NULL : err);
    /* In a log for machines the record before it has said it. */
    if (is_done && log_format_in_use() == LOG_TEXT)
        print_result(&report);
    return is_done;
}

const struct command COMMAND_DEPLOY = {
    .name = "deploy",
    .usage = "[--dry-run] [--to NAME]",
    .summary = "apply everything pending, then exit",
    .about =
        "Compares the folder with the ledger. If nothing is pending, exits without taking a lock. "
        "Otherwise takes the leader lock, applies the pending migrations in order, and stops at the first "
        "failure. Any number of replicas can run it at the same time. With a list of tenants it does so for each.",
    .example = "tidelock deploy --migrations db/migrations --log-format json",
    .options = FOR_DEPLOY,
    .run = deploy_run,
};

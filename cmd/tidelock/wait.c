#include "deploy/wait.h"

#include "command.h"
#include "config/options.h"
#include "deploy/target.h"
#include "fleet.h"
#include "reporting.h"
#include "version.h"

static bool wait_tenant(const struct tenant_run *run, struct error *err)
{
    struct progress progress = progress_begin(NULL, version_build());
    struct target target;

    fleet_say(run, 0, "complete");
    return target_find_database(run->arena, run->config, &target, err) &&
           target_find_and_begin(run->arena, run->config, &target, err) &&
           wait_for_level(run->config, &target, &progress, err);
}

const struct fleet_words WAIT_TENANTS = { .run = wait_tenant, .counted = "applied", .fine = "complete" };

static bool wait_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct reporting reporting;
    struct target target;
    bool is_done;

    (void)exit_code;
    if (tenants_are_asked_for(config))
        return fleet_run_reported(config, &WAIT_TENANTS, err);
    is_done = wait_check_replicas(config, err) && target_find_database(arena, config, &target, err);
    reporting_begin(&reporting, config, is_done ? &target.endpoint : NULL);
    is_done = is_done && target_find_and_begin(arena, config, &target, err);
    if (is_done) {
        reporting_log_start(&target);
        is_done = wait_for_level(config, &target, &reporting.progress, err) &&
                  wait_for_replicas(config, &target, &reporting.progress, err);
    }
    reporting_end(&reporting, is_done ? NULL : err);
    return is_done;
}

const struct command COMMAND_WAIT = {
    .name = "wait",
    .usage = "[--to NAME]",
    .summary = "wait until the database holds all migrations; apply nothing",
    .about =
        "Reads the ledger, disconnects, and reads it again, until every migration in the folder is "
        "applied or --leader-timeout has passed. Needs only the right to read the ledger.",
    .example = "tidelock wait --leader-timeout 30m",
    .options = FOR_WAIT,
    .run = wait_run,
};

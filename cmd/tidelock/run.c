#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"
#include "command.h"
#include "config/endpoint.h"
#include "config/options.h"
#include "config/url_parameter.h"
#include "deploy/deployment.h"
#include "deploy/target.h"
#include "deploy/wait.h"
#include "fleet.h"
#include "gate/application_name.h"
#include "gate/environment.h"
#include "gate/exec.h"
#include "gate/interpreter.h"
#include "http/request.h"
#include "postgres/budget.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"
#include "reporting.h"

/* Runs until the database is ready for the application. */
static bool open_gate(struct arena *arena, const struct config *config, struct target *target,
                      struct progress *progress, struct error *err)
{
    struct deployment_report report;
    int ignored;

    if (tenants_are_asked_for(config))
        return fleet_run(config, config->is_waiting ? &WAIT_TENANTS : &DEPLOY_TENANTS, progress, &ignored,
                         err);
    if (!wait_check_replicas(config, err) || !target_find_and_begin(arena, config, target, err))
        return false;
    reporting_log_start(target);
    return (config->is_waiting ? wait_for_level(config, target, progress, err)
                               : deployment_run(config, target, progress, &report, err)) &&
           wait_for_replicas(config, target, progress, err);
}

/* Writes CMD's share of the connections into its URL. */
static bool add_share(struct arena *arena, const struct config *config, char ***environment,
                      struct error *err)
{
    const char *url = env_value("DATABASE_URL");
    auto_connection struct connection *conn = NULL;
    struct endpoint endpoint;
    struct budget budget;
    char share[40];
    int count;

    if (!endpoint_find(arena, config, &endpoint, err))
        return false;
    conn = reach_database(config, &endpoint, NULL, err);
    if (conn == NULL || !budget_read(arena, conn, &budget, err)) {
        (void)query_failure_explain(err, "All migrations are applied; CMD was not started.");
        return error_context(err, "computing the share of the connections");
    }
    count = budget_share(&budget, (int)config->replicas, (int)config->connections, (int)config->headroom);
    if (count == 0)
        log_warn(
            "the server does not have a connection for each of %d replicas; connection_limit is 1 "
            "nevertheless",
            (int)config->replicas);
    (void)snprintf(share, sizeof share, "connection_limit=%d", count == 0 ? 1 : count);
    *environment =
        environment_with(arena, *environment, "DATABASE_URL", url_with_parameter(arena, url, share));
    return true;
}

/* CMD's environment: by default without the migration-only variables; with its share of the connections if
 * requested, and with its release. */
static bool make_environment(struct arena *arena, const struct config *config, char ***out, struct error *err)
{
    *out = config->is_environment_kept ? environ : environment_for_application(arena, environ);
    if (config->is_sharing && !add_share(arena, config, out, err))
        return false;
    *out = environment_with_release(arena, *out, config->release);
    return true;
}

static bool check_words(const struct config *config, struct error *err)
{
    const char *url = env_value("DATABASE_URL");

    if (config->word_count == 0) {
        error_set(err, ERROR_USAGE, "run needs the command to start");
        return error_hint(err, "Write: tidelock run -- CMD ARGUMENT...");
    }
    if (!config->is_sharing || (url != NULL && strstr(url, "://") != NULL))
        return true;
    error_set(err, ERROR_USAGE, "--share-connections needs DATABASE_URL in the environment, as a URL");
    return error_hint(err, "CMD's share is written into that URL.");
}

static bool run_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    const bool is_for_many = tenants_are_asked_for(config);
    struct reporting reporting;
    struct target target;
    const char *file = NULL;
    char **environment;
    bool is_open;

    (void)exit_code;
    if (!check_words(config, err))
        return false;
    is_open = is_for_many || target_find_database(arena, config, &target, err);
    reporting_begin(&reporting, config, is_open && !is_for_many ? &target.endpoint : NULL);
    /* An image whose command cannot start must not change anything. */
    if (is_open)
        file = exec_find(arena, config->words[0], err);
    is_open = file != NULL && interpreter_check(arena, file, err) &&
              open_gate(arena, config, &target, &reporting.progress, err) &&
              make_environment(arena, config, &environment, err);
    if (!is_open) {
        reporting_end(&reporting, err);
        return false;
    }
    reporting_hand_over(&reporting);
    /* Nothing of ours may survive into the application. */
    http_close();
    exec_replace(file, config->words, environment, err);
    reporting_end(&reporting, err);
    return false;
}

const struct command COMMAND_RUN = {
    .name = "run",
    .usage = "-- CMD [ARGUMENT]...",
    .summary = "deploy, then become the command that follows",
    .about =
        "Does what deploy does (or wait, with --wait), then replaces itself with CMD: in the same "
        "process, so PID 1 stays PID 1, signals reach the application, and the exit code is CMD's. CMD's "
        "environment does not contain the migration-only variables, such as DIRECT_URL, unless --keep-env "
        "is given; DATABASE_URL stays. With --release, the sessions of CMD tell it in their application_name. If the deployment fails, CMD does not start.",
    .example = "tidelock run --status-file status.prom -- node server.js",
    .options = FOR_RUN,
    .words = WORDS_PROGRAM,
    .run = run_run,
};

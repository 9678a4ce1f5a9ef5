#include <unistd.h>

#include "apply/deployment.h"
#include "base/log.h"
#include "command.h"
#include "config/options.h"
#include "gate/environment.h"
#include "gate/exec.h"
#include "target.h"

/* The application owns stdout: what there is to say is logged. */
static void log_report(const struct deployment_report *report)
{
    if (report->applied_count == 0)
        log_info("the database holds all %zu migrations", report->folder->count);
    else
        log_info("applied %zu of %zu migrations to \"%s\", schema \"%s\"", report->applied_count,
                 report->folder->count, report->database, report->schema);
}

static bool run_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct target target;
    struct deployment_report report;
    const char *file;

    (void)exit_code;
    if (config->word_count == 0) {
        error_set(err, ERROR_USAGE, "run wants the command to start");
        return error_hint(err, "Write: tidelock run -- CMD ARGUMENT...");
    }
    /* An image whose command is missing shall change nothing. */
    file = exec_find(arena, config->words[0], err);
    if (file == NULL || !target_find_and_begin(arena, config, &target, err) ||
        !deployment_run(arena, config, &target, &report, err))
        return false;
    log_report(&report);
    return exec_replace(file, config->words,
                        config->is_environment_kept ? environ : environment_for_application(arena, environ),
                        err);
}

const struct command COMMAND_RUN = {
    .name = "run",
    .usage = "-- CMD [ARGUMENT]...",
    .summary = "deploy, then become the command that follows",
    .about =
        "Does what deploy does, then replaces itself with CMD: same process, so PID 1 stays PID 1 and signals\n"
        "reach the application. CMD gets this environment without what is for migrations only: DIRECT_URL and\n"
        "TIDELOCK_... (see --keep-env); DATABASE_URL stays. If the deployment fails, CMD does not start.",
    .options = FOR_RUN,
    .run = run_run,
};

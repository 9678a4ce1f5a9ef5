#include "gate/ready.h"

#include "base/clock.h"
#include "base/file.h"
#include "command.h"
#include "config/options.h"
#include "exits.h"
#include "print.h"
#include "report/metrics.h"

static bool ready_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    auto_text struct text content = text_init(METRICS_BYTES_MOST);
    auto_text struct text why = text_init(1024);

    (void)arena;
    if (config->status_file == NULL) {
        error_set(err, ERROR_USAGE, "ready needs the status file");
        return error_hint(err, "Write: tidelock ready --status-file FILE, or set TIDELOCK_STATUS_FILE.");
    }
    *exit_code = EXIT_NO;
    if (!file_exists(config->status_file))
        text_add_string(&why, "missing: no run has started");
    else if (!file_read(config->status_file, &content, err))
        text_add_format(&why, "unreadable: %s", err->message);
    else if (ready_decide(text_slice(&content), clock_wall_seconds(), config->stale_after_ms, &why))
        *exit_code = EXIT_YES;
    print_line("%s", why.at);
    return true;
}

const struct command COMMAND_READY = {
    .name = "ready",
    .usage = "--status-file FILE",
    .summary = "say whether the deployment is complete; open no connection",
    .about =
        "For exec probes: exits with 0 if the status file says that the database holds every migration, "
        "otherwise with 1 and the reason: not complete, stale, missing or malformed. Opens no connection.",
    .example = "tidelock ready --status-file status.prom",
    .options = FOR_READY,
    .run = ready_run,
};

#include "reporting.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/event_loop.h"
#include "base/file.h"
#include "base/log.h"
#include "exits.h"
#include "report/status_file.h"
#include "report/termination_log.h"
#include "version.h"

static const char TERMINATION_LOG[] = "/dev/termination-log";

enum { READY_MODE = 0644 };

static void beat(void *context)
{
    struct reporting *reporting = context;

    status_file_write(&reporting->progress);
    publish_look(&reporting->publisher);
}

void reporting_begin(struct reporting *reporting, const struct config *config)
{
    reporting->config = config;
    reporting->progress = progress_begin(config->status_file, version_build());
    reporting->progress.connections_most = config->connections > 0 ? (int)config->connections : 1;
    if (config->ready_file != NULL && unlink(config->ready_file) != 0 && errno != ENOENT)
        log_warn("could not remove file \"%s\": %s", config->ready_file, strerror(errno));
    publish_begin(&reporting->publisher, config, &reporting->progress);
    progress_enter(&reporting->progress, PROGRESS_CONNECTING);
    if (config->status_file != NULL || config->pushgateway != NULL || config->webhook != NULL ||
        config->wants_events)
        event_loop_set_beat(beat, reporting);
}

static void write_ready_file(const char *path)
{
    struct error err;

    if (path != NULL && !file_replace(path, slice_of(""), READY_MODE, &err))
        log_warn("%s", err.message);
}

void reporting_end(struct reporting *reporting, const struct error *err)
{
    const struct config *config = reporting->config;
    auto_text struct text word = text_init(4 * TERMINATION_LOG_MOST);
    enum progress_phase phase = PROGRESS_COMPLETE;

    if (err != NULL)
        phase = err->class == ERROR_INTERRUPTED ? PROGRESS_INTERRUPTED : PROGRESS_FAILED;
    event_loop_set_beat(NULL, NULL);
    progress_end(&reporting->progress, phase, err == NULL ? EXIT_YES : exit_code_of(err));
    if (err == NULL)
        write_ready_file(config->ready_file);
    termination_log_compose(&reporting->progress, err, &word);
    termination_log_write(config->termination_log != NULL ? config->termination_log : TERMINATION_LOG,
                          config->termination_log == NULL, text_slice(&word));
    publish_end(&reporting->publisher, err);
}

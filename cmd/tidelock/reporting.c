#include "reporting.h"

#include "base/event_loop.h"
#include "base/file.h"
#include "base/log.h"
#include "credentials/password.h"
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

static void remove_ready_file(const char *path)
{
    struct error err;

    if (path != NULL && !file_remove(path, &err))
        log_warn("%s", err.message);
}

void reporting_begin(struct reporting *reporting, const struct config *config)
{
    reporting->config = config;
    reporting->progress = progress_begin(config->status_file, version_build());
    reporting->progress.connections_most = config->connections > 0 ? (int)config->connections : 1;
    remove_ready_file(config->ready_file);
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

/* An empty `word` is written as well: what an earlier run said no longer counts. */
static void write_termination_log(const struct config *config, const struct text *word)
{
    termination_log_write(config->termination_log != NULL ? config->termination_log : TERMINATION_LOG,
                          config->termination_log == NULL, text_slice(word));
}

static void end(struct reporting *reporting, enum progress_phase phase, int exit_code)
{
    event_loop_set_beat(NULL, NULL);
    if (reporting->progress.phase == PROGRESS_COMPLETE && phase != PROGRESS_COMPLETE)
        remove_ready_file(reporting->config->ready_file);
    progress_end(&reporting->progress, phase, exit_code);
    if (phase == PROGRESS_COMPLETE)
        write_ready_file(reporting->config->ready_file);
}

/* Nothing connects any more: what was lent for that is given back while the last word is on its way. */
static void take_leave(struct reporting *reporting, const struct error *err)
{
    publish_last_word(&reporting->publisher, err);
    password_close();
    publish_end(&reporting->publisher);
}

void reporting_hand_over(struct reporting *reporting)
{
    auto_text struct text nothing = text_init(1);

    end(reporting, PROGRESS_COMPLETE, EXIT_YES);
    write_termination_log(reporting->config, &nothing);
    take_leave(reporting, NULL);
}

void reporting_end(struct reporting *reporting, const struct error *err)
{
    auto_text struct text word = text_init(4 * TERMINATION_LOG_MOST);
    enum progress_phase phase = PROGRESS_COMPLETE;

    if (err != NULL)
        phase = err->class == ERROR_INTERRUPTED ? PROGRESS_INTERRUPTED : PROGRESS_FAILED;
    end(reporting, phase, err == NULL ? EXIT_YES : exit_code_of(err));
    termination_log_compose(&reporting->progress, err, &word);
    write_termination_log(reporting->config, &word);
    take_leave(reporting, err);
}

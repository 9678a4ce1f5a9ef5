#include "reporting.h"

#include <string.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/file.h"
#include "base/log.h"
#include "config/endpoint.h"
#include "credentials/password.h"
#include "exits.h"
#include "postgres/connection.h"
#include "report/status_file.h"
#include "report/termination_log.h"
#include "tenants/state.h"
#include "version.h"

static const char TERMINATION_LOG[] = "/dev/termination-log";

enum { READY_MODE = 0644, SUCCESS_MOST = 2048 };

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

/* As the configuration names them: what the server says would change the labels in the middle of a run. */
static void label(struct labels *labels, const struct endpoint *endpoint)
{
    const char *database = endpoint_database(endpoint);

    if (database != NULL)
        labels_add(labels, "database", database);
    labels_add(labels, "schema", endpoint->schema == NULL ? "public" : endpoint->schema);
}

void reporting_begin(struct reporting *reporting, const struct config *config,
                     const struct endpoint *endpoint)
{
    *reporting = (struct reporting) { .config = config };
    reporting->progress = progress_begin(config->status_file, version_build());
    reporting->progress.labels = config->metrics_labels;
    if (endpoint != NULL)
        label(&reporting->progress.labels, endpoint);
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

/* Of the run that has ended. */
static struct {
    int64_t began_ms;
    bool is_known;
    bool is_reported; /* by reporting_end() */
    bool is_compared;
    bool goes_back;
    size_t applied; /* or rolled back */
    size_t pending;
    size_t retries;
    int64_t duration_ms;
    struct log_value own; /* or without a name */
} totals;

static void add_up_retries(void)
{
    for (int reason = 0; reason < CONNECTION_RETRIES; reason++)
        totals.retries += connection_retries((enum connection_retry)reason);
}

static void add_up(const struct progress *progress)
{
    totals.is_known = totals.is_reported = true;
    totals.is_compared = progress->is_compared;
    totals.goes_back = progress->goes_back;
    totals.applied = progress->applied;
    totals.pending = progress_pending(progress);
    totals.duration_ms = (int64_t)((progress->ended_at - progress->started_at) * 1000);
    totals.retries = 0;
    for (int reason = 0; reason < RETRY_REASONS; reason++)
        totals.retries += progress->retries[reason];
    add_up_retries();
}

size_t reporting_add_totals(struct log_value values[REPORTING_TOTALS])
{
    size_t count = 0;

    if (!totals.is_known)
        return 0;
    values[count++] = (struct log_value) { .name = totals.goes_back ? "rolled_back" : "applied",
                                           .number = (int64_t)totals.applied };
    values[count++] = (struct log_value) { .name = "duration_ms", .number = totals.duration_ms };
    values[count++] = (struct log_value) { .name = "retries", .number = (int64_t)totals.retries };
    if (totals.is_compared)
        values[count++] = (struct log_value) { .name = "pending", .number = (int64_t)totals.pending };
    if (totals.own.name != NULL)
        values[count++] = totals.own;
    return count;
}

void reporting_open(void)
{
    totals.began_ms = clock_now_ms();
}

void reporting_count(const char *name, size_t number)
{
    totals.own = (struct log_value) { .name = name, .number = (int64_t)number };
}

void reporting_count_pending(const struct progress *progress)
{
    totals.is_compared = progress->is_compared;
    totals.pending = progress_pending(progress);
}

void reporting_close(const char *name, const struct config *config, int exit_code, const struct error *err)
{
    struct log_value values[REPORTING_TOTALS + 1] = { { .name = "exit_code", .number = exit_code } };

    if (totals.is_reported)
        return;
    totals.is_known = true;
    totals.duration_ms = clock_now_ms() - totals.began_ms;
    add_up_retries();
    if (err == NULL && log_format_in_use() != LOG_TEXT && !config->wants_json)
        log_event(LOG_DONE, values, 1 + reporting_add_totals(values + 1), "%s: done%s", name,
                  config->is_dry_run ? "; nothing was changed" : "");
}

void reporting_log_start(const struct target *target)
{
    const struct folder *folder = &target->folder;
    const struct log_value values[] = { { .name = "version", .text = version_build().version },
                                        { .name = "folder", .text = folder->path },
                                        { .name = "migrations", .number = (int64_t)folder->count } };

    log_event(LOG_INFO, values, array_length(values), "%zu migration%s found in %s", folder->count,
              text_plural(folder->count), folder->path);
}

void reporting_log_edit(const struct target *target)
{
    if (log_format_in_use() != LOG_TEXT)
        reporting_log_start(target);
}

static void add_tenants(const struct progress *progress, struct text *out)
{
    size_t done = progress->tenants[TENANT_DONE];
    char took[32];

    if (totals.applied == 0) {
        text_add_format(out, "nothing pending in %zu tenant%s", done, text_plural(done));
        return;
    }
    text_add_format(out, "applied %zu migration%s to %zu of %zu tenant%s in %s", totals.applied,
                    text_plural(totals.applied), progress->changed_tenants, done, text_plural(done),
                    duration_text(totals.duration_ms, took, sizeof took));
}

/* What the database holds now: all of the folder, or what --to asks for. */
static void add_success(const struct reporting *reporting, struct text *out)
{
    const struct progress *progress = &reporting->progress;
    size_t held = progress->migrations[VERDICT_APPLIED] + progress->migrations[VERDICT_EDITED];
    const char *last = totals.pending == 0 ? NULL : reporting->config->to;
    char took[32];

    if (progress->tenants != NULL) {
        add_tenants(progress, out);
        return;
    }
    if (progress->goes_back)
        text_add_format(out, "rolled back %zu migration%s in %s; the database holds %zu", totals.applied,
                        text_plural(totals.applied), duration_text(totals.duration_ms, took, sizeof took),
                        held);
    else if (totals.applied > 0)
        text_add_format(out, "applied %zu migration%s in %s; the database holds", totals.applied,
                        text_plural(totals.applied), duration_text(totals.duration_ms, took, sizeof took));
    else
        text_add_format(out, "no pending migrations%s", last == NULL ? ": the database holds" : "");
    if (progress->goes_back)
        return;
    if (last == NULL && held == 1)
        text_add_string(out, " 1 of 1");
    else if (last == NULL)
        text_add_format(out, " all %zu", held);
    else
        text_add_format(out, "%s up to and including %s; %zu later one%s %s pending",
                        totals.applied > 0 ? " all" : "", last, totals.pending, text_plural(totals.pending),
                        totals.pending == 1 ? "is" : "are");
}

/* The numbers of a failure stand in its own record. */
static void log_success(const struct reporting *reporting)
{
    struct log_value values[REPORTING_TOTALS + 1] = { { .name = "exit_code", .number = EXIT_YES } };
    size_t count = 1 + reporting_add_totals(values + 1);
    auto_text struct text said = text_init(SUCCESS_MOST);

    add_success(reporting, &said);
    if (totals.applied > 0 || !reporting->is_result_printed || log_format_in_use() != LOG_TEXT)
        log_event(LOG_DONE, values, count, "%s", said.at);
}

/* Where the log is for machines, the failure's own record has these numbers; a table of tenants
 * says more. */
static void log_applied_before(const struct progress *progress)
{
    char took[32];

    if (totals.applied == 0 || progress->tenants != NULL || log_format_in_use() != LOG_TEXT)
        return;
    duration_text(totals.duration_ms, took, sizeof took);
    if (totals.goes_back)
        log_info("rolled back %zu migration%s in %s; %zu of %zu still to be undone", totals.applied,
                 text_plural(totals.applied), took, progress->asked - totals.applied, progress->asked);
    else
        log_info("applied %zu migration%s in %s; %zu still pending", totals.applied,
                 text_plural(totals.applied), took, totals.pending);
}

static void end(struct reporting *reporting, enum progress_phase phase, int exit_code)
{
    event_loop_set_beat(NULL, NULL);
    if (reporting->progress.phase == PROGRESS_COMPLETE && phase != PROGRESS_COMPLETE)
        remove_ready_file(reporting->config->ready_file);
    progress_end(&reporting->progress, phase, exit_code);
    add_up(&reporting->progress);
    if (phase != PROGRESS_COMPLETE)
        return;
    if (!reporting->progress.goes_back)
        write_ready_file(reporting->config->ready_file);
    log_success(reporting);
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
    if (err != NULL)
        log_applied_before(&reporting->progress);
    termination_log_compose(&reporting->progress, err, &word);
    write_termination_log(reporting->config, &word);
    take_leave(reporting, err);
}

#include "report/metrics.h"

#include <math.h>

#include "postgres/connection.h"
#include "tenants/state.h"

enum { LABEL_BYTES_MOST = 4096 };

static double read_one(const struct progress *progress, int sample)
{
    (void)progress;
    (void)sample;
    return 1;
}

static const char *version_of(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->build.version;
}

static const char *libpq_of(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->build.libpq;
}

static const char *openssl_of(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->build.openssl;
}

static double read_ready(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->is_ready;
}

static const char *phase_name(const struct progress *progress, int sample)
{
    (void)progress;
    return PROGRESS_PHASE_NAMES[sample];
}

static double read_phase(const struct progress *progress, int sample)
{
    return (int)progress->phase == sample;
}

static double read_start(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->started_at;
}

static double read_end(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->ended_at > 0 ? progress->ended_at : (double)NAN;
}

static double read_update(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->written_at;
}

static double read_exit_code(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->ended_at > 0 ? progress->exit_code : (double)NAN;
}

static const char *verdict_name(const struct progress *progress, int sample)
{
    (void)progress;
    return VERDICT_NAMES[sample];
}

static double read_migrations(const struct progress *progress, int sample)
{
    return progress->is_compared ? (double)progress->migrations[sample] : (double)NAN;
}

static double read_applied(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->goes_back ? 0 : (double)progress->applied;
}

static double read_rolled_back(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->goes_back ? (double)progress->applied : (double)NAN;
}

static double read_current(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->current != NULL ? 1 : (double)NAN;
}

static const char *current_name(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->current;
}

static const char *current_mode(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->mode;
}

static double read_current_start(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->current != NULL ? progress->current_started_at : (double)NAN;
}

static double read_current_ratio(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->current != NULL && progress->current_ratio >= 0 ? progress->current_ratio : (double)NAN;
}

static double read_backfill_rows(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->is_backfill ? (double)progress->backfill_rows : (double)NAN;
}

static double read_backfill_batch(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->is_backfill ? (double)progress->backfill_batch_rows : (double)NAN;
}

static double read_throttled(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->is_backfill ? progress->is_throttled : (double)NAN;
}

static double read_last_duration(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->last_seconds >= 0 ? progress->last_seconds : (double)NAN;
}

static const char *duration_name(const struct progress *progress, int sample)
{
    return progress->durations[sample].name;
}

static double read_duration(const struct progress *progress, int sample)
{
    return (size_t)sample < progress->duration_count ? progress->durations[sample].seconds : (double)NAN;
}

static double read_leader(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->is_leader;
}

static double read_leader_wait(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->leader_wait_seconds;
}

static double read_lock_wait(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->lock_wait_seconds;
}

static double read_differences(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->differences < 0 ? (double)NAN : (double)progress->differences;
}

static double read_blocked_by(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->blocked_by;
}

static double read_blocked(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->blocked;
}

static const char *retry_name(const struct progress *progress, int sample)
{
    (void)progress;
    return sample < CONNECTION_RETRIES ? CONNECTION_RETRY_NAMES[sample]
                                       : RETRY_REASON_NAMES[sample - CONNECTION_RETRIES];
}

static double read_retries(const struct progress *progress, int sample)
{
    return sample < CONNECTION_RETRIES ? (double)connection_retries((enum connection_retry)sample)
                                       : (double)progress->retries[sample - CONNECTION_RETRIES];
}

static double read_connections(const struct progress *progress, int sample)
{
    (void)progress;
    (void)sample;
    return (double)connection_count();
}

static double read_connections_budget(const struct progress *progress, int sample)
{
    (void)sample;
    return progress->connections_most > 0 ? progress->connections_most : (double)NAN;
}

static const char *server_connections_name(const struct progress *progress, int sample)
{
    (void)progress;
    return PROGRESS_CONNECTIONS_NAMES[sample];
}

static double read_server_connections(const struct progress *progress, int sample)
{
    return progress->is_counted ? progress->server_connections[sample] : (double)NAN;
}

static const char *tenant_state(const struct progress *progress, int sample)
{
    (void)progress;
    return TENANT_STATE_NAMES[sample];
}

static double read_tenants(const struct progress *progress, int sample)
{
    return progress->tenants != NULL ? (double)progress->tenants[sample] : (double)NAN;
}

static const char *failed_tenant(const struct progress *progress, int sample)
{
    return progress->failed_tenants[sample];
}

static double read_failed_tenant(const struct progress *progress, int sample)
{
    return (size_t)sample < progress->failed_tenant_count ? 1 : (double)NAN;
}

const struct metric METRICS[] = {
    { "tidelock_build_info", METRIC_GAUGE, "Build of the running binary; always 1.", .samples = 1,
      .labels = { { "version", version_of }, { "libpq", libpq_of }, { "openssl", openssl_of } },
      .read = read_one },
    { "tidelock_ready", METRIC_GAUGE,
      "Whether the database holds every migration that this image needs (1) or not (0).", .samples = 1,
      .read = read_ready },
    { "tidelock_phase", METRIC_GAUGE, "Current phase of the run; exactly one phase is 1.",
      .samples = PROGRESS_PHASES, .labels = { { "phase", phase_name } }, .read = read_phase },
    { "tidelock_run_start_timestamp_seconds", METRIC_GAUGE, "Unix time when this run started.", .samples = 1,
      .read = read_start },
    { "tidelock_run_end_timestamp_seconds", METRIC_GAUGE,
      "Unix time when this run ended; absent while it runs.", .samples = 1, .read = read_end },
    { "tidelock_status_update_timestamp_seconds", METRIC_GAUGE, "Unix time when this file was last written.",
      .samples = 1, .read = read_update },
    { "tidelock_exit_code", METRIC_GAUGE, "Exit code of the finished run; absent while it runs.",
      .samples = 1, .read = read_exit_code },
    { "tidelock_migrations", METRIC_GAUGE, "Migrations of this image by state in the database.",
      .samples = VERDICTS, .labels = { { "state", verdict_name } }, .read = read_migrations },
    { "tidelock_migrations_applied_total", METRIC_COUNTER, "Migrations that this process applied.",
      .samples = 1, .read = read_applied },
    { "tidelock_migrations_rolled_back_total", METRIC_COUNTER,
      "Migrations that this process rolled back; absent in a deployment.", .samples = 1,
      .read = read_rolled_back },
    { "tidelock_current_migration_info", METRIC_GAUGE, "The migration being applied; absent when none is.",
      .samples = 1, .labels = { { "migration", current_name }, { "mode", current_mode } },
      .read = read_current },
    { "tidelock_current_migration_start_timestamp_seconds", METRIC_GAUGE,
      "Unix time when the migration being applied started; absent when none is.", .samples = 1,
      .read = read_current_start },
    { "tidelock_current_migration_progress_ratio", METRIC_GAUGE,
      "Progress of the current statement as the server reports it, from 0 to 1.", .samples = 1,
      .read = read_current_ratio },
    { "tidelock_backfill_changed_rows", METRIC_GAUGE,
      "Rows that the current backfill has changed, including earlier runs.", .samples = 1,
      .read = read_backfill_rows },
    { "tidelock_backfill_batch_rows", METRIC_GAUGE, "Rows in a batch of the current backfill.", .samples = 1,
      .read = read_backfill_batch },
    { "tidelock_backfill_throttled", METRIC_GAUGE,
      "Whether the current backfill is paused to spare the server.", .samples = 1, .read = read_throttled },
    { "tidelock_last_migration_duration_seconds", METRIC_GAUGE,
      "Duration of the last migration that was applied.", .samples = 1, .read = read_last_duration },
    { "tidelock_migration_duration_seconds", METRIC_GAUGE,
      "Duration of each migration that this run applied; beyond 64, of the longest.",
      .samples = DURATIONS_MOST, .labels = { { "migration", duration_name } }, .read = read_duration },
    { "tidelock_leader", METRIC_GAUGE, "Whether this process holds the leader lock.", .samples = 1,
      .read = read_leader },
    { "tidelock_leader_lock_wait_seconds_total", METRIC_COUNTER, "Time spent waiting for the leader lock.",
      .samples = 1, .read = read_leader_wait },
    /* The name of 0.1, for one version more. */
    { "tidelock_lock_wait_seconds_total", METRIC_COUNTER,
      "Former name of tidelock_leader_lock_wait_seconds_total; the next version does not have it.",
      .samples = 1, .read = read_leader_wait },
    { "tidelock_table_lock_wait_seconds_total", METRIC_COUNTER,
      "Time spent waiting for table locks, including attempts that timed out.", .samples = 1,
      .read = read_lock_wait },
    { "tidelock_blocked_by_sessions", METRIC_GAUGE, "Sessions that block this run.", .samples = 1,
      .read = read_blocked_by },
    { "tidelock_blocked_sessions", METRIC_GAUGE,
      "Sessions that wait for a lock that this run holds or is queued for.", .samples = 1,
      .read = read_blocked },
    { "tidelock_schema_differences", METRIC_GAUGE,
      "Differences between the schema and what the deployment before had left, when this one began (drift).",
      .samples = 1, .read = read_differences },
    { "tidelock_retries_total", METRIC_COUNTER, "Retries, by reason.",
      .samples = (int)CONNECTION_RETRIES + (int)RETRY_REASONS, .labels = { { "reason", retry_name } },
      .read = read_retries },
    { "tidelock_tenants", METRIC_GAUGE, "Tenants of this run, by what has become of them.",
      .samples = TENANT_STATES, .labels = { { "state", tenant_state } }, .read = read_tenants },
    { "tidelock_tenant_failed", METRIC_GAUGE, "Tenants that have failed: the first 64; always 1.",
      .samples = FAILED_TENANTS_MOST, .labels = { { "tenant", failed_tenant } }, .read = read_failed_tenant },
    { "tidelock_connections", METRIC_GAUGE, "Connections that this process has open.", .samples = 1,
      .read = read_connections },
    { "tidelock_connections_budget", METRIC_GAUGE, "Connections that this process may open.", .samples = 1,
      .read = read_connections_budget },
    { "tidelock_server_connections", METRIC_GAUGE, "Connections of the server, when last counted.",
      .samples = PROGRESS_CONNECTIONS, .labels = { { "kind", server_connections_name } },
      .read = read_server_connections },
    { .name = NULL },
};

/* Backslash, quote and line feed are escaped inside a label (Prometheus, exposition formats). */
static void add_label(struct text *out, struct slice name, struct slice value)
{
    auto_text struct text valid = text_init(LABEL_BYTES_MOST);

    text_add_valid(&valid, value.at, value.length);
    text_add_format(out, "%s%.*s=\"", out->length > 0 ? "," : "", (int)name.length, name.at);
    for (const char *at = valid.at; *at != '\0'; at++) {
        if (*at == '\\' || *at == '"')
            text_add(out, "\\", 1);
        if (*at == '\n')
            text_add_string(out, "\\n");
        else
            text_add(out, at, 1);
    }
    text_add(out, "\"", 1);
}

static bool has_label(const struct metric *metric, struct slice name)
{
    for (int i = 0; i < METRIC_LABELS_MOST && metric->labels[i].name != NULL; i++) {
        if (slice_equals(name, metric->labels[i].name))
            return true;
    }
    return false;
}

static void add_labels(const struct metric *metric, const struct progress *progress, int sample,
                       struct text *out)
{
    for (int i = 0; i < METRIC_LABELS_MOST && metric->labels[i].name != NULL; i++)
        add_label(out, slice_of(metric->labels[i].name), slice_of(metric->labels[i].value(progress, sample)));
    for (size_t i = 0; i < progress->labels.count; i++) {
        if (!has_label(metric, progress->labels.items[i].name))
            add_label(out, progress->labels.items[i].name, progress->labels.items[i].value);
    }
}

static void add_sample(const struct metric *metric, const struct progress *progress, int sample,
                       struct text *out)
{
    auto_text struct text labels = text_init(2 * LABEL_BYTES_MOST);
    double value = metric->read(progress, sample);

    if (isnan(value))
        return;
    add_labels(metric, progress, sample, &labels);
    text_add_string(out, metric->name);
    if (labels.length > 0)
        text_add_format(out, "{%s}", labels.at);
    text_add_format(out, " %.16g\n", value);
}

void metrics_write(const struct progress *progress, struct text *out)
{
    for (const struct metric *metric = METRICS; metric->name != NULL; metric++) {
        auto_text struct text samples = text_init(out->most);

        for (int sample = 0; sample < metric->samples; sample++)
            add_sample(metric, progress, sample, &samples);
        if (samples.length == 0)
            continue;
        text_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                        metric->type == METRIC_COUNTER ? "counter" : "gauge");
        text_add(out, samples.at, samples.length);
    }
}

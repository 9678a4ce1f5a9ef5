#include <string.h>

#include "apply/migrate.h"
#include "base/log.h"
#include "deploy/back.h"
#include "deploy/caution.h"
#include "deploy/continuity.h"
#include "deploy/drift_check.h"
#include "deploy/floor_check.h"
#include "deploy/internal.h"
#include "deploy/lost_commit.h"
#include "deploy/new_ledger.h"
#include "deploy/precaution.h"
#include "deploy/together.h"
#include "deploy/validate.h"
#include "history/attempts.h"
#include "history/script_file.h"
#include "lock/tool_lock.h"
#include "postgres/query.h"

/* A script of so many statements is not gone through a second time to find out how it is applied; and one of
 * those, up to a size, is not even read again. */
enum { ORIGINS_MS = 2000, LARGE_STATEMENTS = 1000, KEPT_MOST = 16 * 1024 * 1024 };

/* A second URL is there because the application's leads to a pooler. */
static bool goes_around_pooler(const struct config *config)
{
    return config->direct_url != NULL && config->database_url != NULL &&
           strcmp(config->direct_url, config->database_url) != 0;
}

struct execution deployment_begin_migration(struct deployment *d, size_t index)
{
    const struct history_item *item = &d->history.items[index];

    const struct ledger_row *unfinished = verdict_is_due(item->verdict) ? item->row : NULL;

    return (struct execution) {
        .conn = d->conn,
        .ledger = &d->ledger,
        .migration = deployment_script_of(d, index),
        .unfinished = unfinished,
        .applied = d->back == NULL ? NULL : item->row,
        .observer = d->back == NULL ? NULL : &d->back->guard.observer,
        .failure = { .facts = { .is_resuming = unfinished != NULL } },
        .settings = d->settings,
        .lock_wait = { .retry = { .lock_timeout_ms = d->config->lock_timeout_ms,
                                  .retry_for_ms = d->config->retry_for_ms },
                       .policy = { .terminate_idle_ms = d->config->terminate_idle_ms,
                                   .cancel_ms = d->config->cancel_blockers_ms } },
        .was_rolled_back = d->back == NULL && item->was_left,
        .is_folder_behind = d->history.missing_count > 0 && !d->history.is_ahead,
        .is_session_used = d->is_session_used,
        .batches_before = index == d->reached.index && d->reached.is_elsewhere ? d->reached.batches : 0,
        .host = d->has_journal ? d->host : NULL,
        .release = d->config->release,
        .hides_sessions = d->pooling == POOLING_TRANSACTION || goes_around_pooler(d->config),
        .is_pooled = d->pooling == POOLING_TRANSACTION,
        .timeout_ms = d->config->migration_timeout_ms,
        .until = deadline_never(),
        .known = d->known == NULL ? NULL : d->known[index],
        .wishes = d->wishes == NULL ? NULL : &d->wishes[index],
        .calm_until = &d->calm_until,
        .reconnect = deployment_reconnect,
        .context = d,
        .watch = &d->watch,
        .lease = &d->lease,
        .beacon = &d->beacon,
        .progress = d->progress,
    };
}

bool deployment_is_due(const struct deployment *d, size_t index)
{
    return d->history.items[index].is_due;
}

size_t deployment_first(const struct deployment *d)
{
    return d->back == NULL || d->folder->count == 0 ? 0 : d->folder->count - 1;
}

size_t deployment_behind(const struct deployment *d, size_t index)
{
    if (d->back == NULL)
        return index + 1;
    return index == 0 ? d->folder->count : index - 1;
}

const struct migration *deployment_script_of(const struct deployment *d, size_t index)
{
    return d->back == NULL ? &d->folder->items[index] : &d->back->inverses[index];
}

/* Under the id of the row that says that it is applied, which an attempt's is not. */
static void add_origin(struct deployment *d)
{
    const struct execution *execution = &d->execution;
    char id[UUID_SIZE];

    text_copy_cut(id, sizeof id, execution->id);
    if (!d->ledger.dialect->keeps_attempts)
        ledger_make_id(&d->ledger, execution->migration->key, id);
    origin_queue_add(&d->origins, id, execution->gist);
}

void deployment_report_applied(struct deployment *d)
{
    const struct execution *execution = &d->execution;
    struct deployment_report *report = d->report;
    int64_t took_ms = clock_now_ms() - d->started_ms;
    const char *mode = MODE_NAMES[execution->mode];
    const char *name = execution->migration->name;
    const struct log_value values[] = { { .name = "duration_ms", .number = took_ms },
                                        { .name = "mode", .text = mode } };
    struct applied_migration *entry;
    bool is_plain = execution->mode == MODE_ATOMIC;
    char took[32];

    progress_applied(d->progress, name, (double)took_ms / 1000);
    if (d->has_journal && (!d->ledger.dialect->keeps_attempts || (is_plain && d->back == NULL)))
        add_origin(d);
    continuity_keep(d);
    entry = &report->applied[report->applied_count++];
    *entry = (struct applied_migration) { .name = name, .took_ms = took_ms, .mode = execution->mode };
    log_event(LOG_DONE, values, array_length(values), "%s %s (%s%s%s)",
              d->back == NULL ? "applied" : "rolled back", name, duration_text(took_ms, took, sizeof took),
              is_plain ? "" : ", ", is_plain ? "" : mode);
}

bool deployment_may_record(const struct deployment *d)
{
    return d->has_journal && d->conn != NULL && !connection_is_lost(d->conn) &&
           !connection_is_in_transaction(d->conn) && connection_journal(d->conn)[0] != '\0';
}

void deployment_record_origins(struct deployment *d)
{
    const struct journal journal = { .conn = d->conn,
                                     .ledger_schema = d->ledger.schema,
                                     .key = d->ledger.lock_key };
    const struct origin who = { .host = d->host,
                                .version = d->progress->build.version,
                                .release = d->config->release };

    if (!deployment_may_record(d))
        return;
    connection_shield(d->conn, true);
    connection_limit_answers(d->conn, ORIGINS_MS);
    origin_queue_write(&d->origins, &journal, d->back == NULL ? &who : NULL);
    connection_limit_answers(d->conn, 0);
    connection_shield(d->conn, false);
}

static bool is_recorded(const struct deployment *d, const char *name)
{
    for (size_t i = 0; i < d->folder->count; i++) {
        if (strcmp(d->folder->items[i].name, name) == 0)
            return d->history.items[i].verdict != VERDICT_PENDING;
    }
    return false;
}

static bool settle_doubt(struct deployment *d, struct error *err)
{
    bool is_applied = is_recorded(d, d->execution.migration->name);
    bool is_ours;

    if (d->burst != NULL) {
        together_settle(d);
        return true;
    }
    if (!lost_commit_settle(&d->execution, d->conn, is_applied == (d->back == NULL), &is_ours, err))
        return false;
    if (is_ours)
        deployment_report_applied(d);
    return true;
}

/* The tool may have applied something between the look and its lock. Behind a pooler, each transaction takes
 * it. */
static enum phase take_tool_lock(struct deployment *d, struct error *err)
{
    if (d->ledger.tool_keys.count == 0 && d->ledger.dialect->lease == NULL)
        return PHASE_PREPARING;
    switch (d->pooling == POOLING_TRANSACTION ? tool_lock_look(d->conn, &d->ledger, &d->holder, err)
                                              : tool_lock_try(d->conn, &d->ledger, &d->holder, err)) {
    case LEADER_TAKEN:
        return deployment_look(d, err) ? PHASE_PREPARING : PHASE_FAILED;
    case LEADER_HELD:
        return PHASE_FOLLOWING;
    case LEADER_UNKNOWN:
        break;
    }
    error_context(err, "taking the lock of %s", d->ledger.dialect->tool);
    return PHASE_FAILED;
}

/* The ledger as it is under the leader lock, created if necessary: between the first look and the lock,
 * another process may have led. */
static enum phase look_as_leader(struct deployment *d, struct error *err)
{
    enum phase next = PHASE_PREPARING;

    if (!new_ledger_begin(d, err))
        return PHASE_FAILED;
    if (d->ledger.beginning.is_done)
        return PHASE_PREPARING;
    if (!deployment_look(d, err))
        return PHASE_FAILED;
    next = take_tool_lock(d, err);
    if (next != PHASE_PREPARING || d->ledger.exists)
        return next;
    next = new_ledger_create(d, err);
    return next != PHASE_PREPARING || deployment_look(d, err) ? next : PHASE_FAILED;
}

void deployment_forget_script(struct deployment *d)
{
    if (d->kept != NULL)
        text_clear(&d->kept->bytes);
    d->kept = NULL;
}

static void remember(struct deployment *d, size_t index, const struct execution *execution,
                     struct text *bytes)
{
    struct known_script *known;

    if (execution->summary.statements < LARGE_STATEMENTS)
        return;
    known = arena_alloc(d->arena, 1, sizeof *known);
    known->summary = execution->summary;
    known->wishes = execution->wishes_of_tool;
    memcpy(known->checksum, execution->checksum, sizeof known->checksum);
    d->known[index] = known;
    if (d->kept != NULL || d->config->is_dry_run || bytes->length > KEPT_MOST)
        return;
    known->bytes = *bytes;
    *bytes = (struct text) { .at = NULL };
    d->kept = known;
}

/* Whether what is recorded of earlier tries has to be taken out with its row. */
static bool has_attempts(const struct deployment *d, size_t index)
{
    const struct history_item *item = &d->history.items[index];

    return !d->ledger.dialect->keeps_attempts &&
           (item->row != NULL || item->last_try != NULL || item->was_rolled_back);
}

/* What its text tells. */
static bool check_script(struct deployment *d, size_t index, struct execution *execution, struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);

    log_context(LOG_MIGRATION, d->folder->items[index].name);
    if (!(d->config->is_dry_run ? migration_rehearse(execution, d->report->due_count == 0, &bytes, err)
                                : migration_check(execution, &bytes, err)) ||
        !floor_check_script(d->config, execution, err) ||
        (d->back != NULL && !loss_foresee(&d->back->guard, execution, err)))
        return false;
    log_context(LOG_MIGRATION, NULL);
    remember(d, index, execution, &bytes);
    return true;
}

/* Before anything is applied: a deployment that must stop at its third migration should not begin. *failed
 * gets the number of the one that cannot be applied. */
static bool check_scripts(struct deployment *d, size_t *failed, struct error *err)
{
    d->report->due = arena_alloc(d->arena, d->folder->count, sizeof *d->report->due);
    d->report->due_count = 0;
    d->report->precautions = precautions_of(d->config);
    d->is_for_burst = arena_alloc(d->arena, d->folder->count, sizeof *d->is_for_burst);
    d->known = arena_alloc(d->arena, d->folder->count, sizeof(struct known_script *));
    deployment_forget_script(d);
    for (size_t i = deployment_first(d); i < d->folder->count; i = deployment_behind(d, i)) {
        struct execution execution;

        if (!deployment_is_due(d, i))
            continue;
        execution = deployment_begin_migration(d, i);
        if (!check_script(d, i, &execution, err)) {
            *failed = i;
            return false;
        }
        precautions_add(&d->report->precautions, &execution.directives);
        d->is_for_burst[i] = d->back == NULL && execution.is_for_burst && !has_attempts(d, i);
        d->report->due[d->report->due_count++] =
            (struct due_migration) { .name = d->folder->items[i].name,
                                     .mode = execution.mode,
                                     .statements = execution.summary.statements,
                                     .is_resumed = execution.unfinished != NULL,
                                     .unseen_from = d->back == NULL ? 0 : d->back->guard.unseen_from };
    }
    return true;
}

/* A script that cannot be applied stops the run before an earlier one is resumed, which is then as it was. */
static bool check_all_scripts(struct deployment *d, struct error *err)
{
    auto_text struct text holds = text_init(sizeof err->holds);
    size_t failed = 0;

    if (check_scripts(d, &failed, err))
        return true;
    for (size_t i = 0; i < d->folder->count; i++) {
        if (d->back != NULL || i == failed || !deployment_is_due(d, i) || d->history.items[i].row == NULL)
            continue;
        text_add_format(&holds, "%s %s is still half done.", err->holds, d->folder->items[i].name);
        error_holds(err, "%s", holds.at);
        if (err->class == ERROR_CLEAN)
            err->class = ERROR_PARTIAL;
    }
    return false;
}

/* Whether folder and ledger are as they have to be for something to be applied. */
static bool check_history(struct deployment *d, struct error *err)
{
    unsigned strict = validate_strictness(d->config, d->folder->dialect);

    if ((!d->ledger.exists && !new_ledger_check(d, err)) || !floor_check(d->config, &d->ledger, err) ||
        (d->history.due_count > 0 && !validate_failed(d->folder, &d->history, err)) ||
        !validate_edited(d->folder, &d->history, strict, err) ||
        !validate_strict(d->folder, &d->history, strict, err))
        return false;
    if (!d->is_reviewed)
        validate_say_findings(d->folder, &d->history);
    d->is_reviewed = true;
    return d->config->is_unrelated_allowed || validate_related(d->folder, &d->history, err);
}

bool deployment_check(struct deployment *d, struct error *err)
{
    if (!(d->back == NULL ? check_history(d, err) : back_check(d, err)))
        return false;
    d->settings = (struct session_settings) {
        .search_path = d->endpoint->schema,
        .lock_timeout_ms = -1,
        .statement_timeout_ms = d->config->statement_timeout_ms > 0 ? d->config->statement_timeout_ms : -1,
    };
    d->settings.can_check_connection =
        d->ledger.beginning.can_check_connection || session_can_check_connection(d->conn);
    return check_all_scripts(d, err);
}

/* Only what takes several transactions needs more of it than a place for the origins; and whoever lacks a
 * right must not find that out between two of them. */
static enum journal_use use_of_journal(const struct deployment *d)
{
    for (size_t i = 0; i < d->report->due_count; i++) {
        if (d->report->due[i].mode != MODE_ATOMIC)
            return JOURNAL_USE_ALL;
    }
    return JOURNAL_USE_ORIGINS;
}

/* Behind a pooler in transaction mode, the session is not ours to write to it under the lock. */
static void prepare_journal(struct deployment *d)
{
    const struct journal journal = { .conn = d->conn,
                                     .ledger_schema = d->ledger.schema,
                                     .key = d->ledger.lock_key };
    const enum journal_use use = use_of_journal(d);

    pod_name(d->host);
    d->has_journal = d->pooling != POOLING_TRANSACTION && d->report->due_count > 0 &&
                     ((d->ledger.beginning.has_room_for_journal && journal_begin(&journal, use)) ||
                      journal_prepare(&journal, use));
}

/* Behind a pooler, no session's end tells that the message is over. A transaction of ours that holds the key
 * ends it: the next one in the message can't have it. */
static enum phase settle_pooled(struct deployment *d, struct error *err)
{
    const enum phase next = deployment_lead_once(d, err);
    bool is_read;

    if (next != PHASE_PREPARING)
        return next;
    is_read = deployment_look(d, err);
    if (is_read)
        together_settle(d);
    execution_roll_back_own(d->conn);
    return is_read ? PHASE_PREPARING : PHASE_FAILED;
}

enum phase deployment_prepare(struct deployment *d, struct error *err)
{
    bool is_running = false;
    enum phase next;

    if (d->execution.commit_doubt.is_in_doubt && d->burst == NULL &&
        !lost_commit_is_running(&d->execution, d->conn, &is_running, err))
        return PHASE_FAILED;
    if (is_running)
        return leader_find(d->conn, d->ledger.lock_key, &d->holder, err) ? PHASE_FOLLOWING : PHASE_FAILED;
    next = d->burst != NULL && d->pooling == POOLING_TRANSACTION ? settle_pooled(d, err) : PHASE_PREPARING;
    if (next == PHASE_PREPARING)
        next = look_as_leader(d, err);
    if (next != PHASE_PREPARING)
        return next;
    if (d->pooling != POOLING_TRANSACTION && !attempts_forget_stale(d->conn, &d->ledger, err))
        return PHASE_FAILED;
    if (d->execution.commit_doubt.is_in_doubt && !settle_doubt(d, err))
        return PHASE_FAILED;
    if (!deployment_check(d, err) || !drift_check(d, err) || !caution_take(d, err))
        return PHASE_FAILED;
    prepare_journal(d);
    if (!precaution_take(d, err))
        return PHASE_FAILED;
    d->next = deployment_first(d);
    d->due = d->alone_until = 0;
    return PHASE_APPLYING;
}

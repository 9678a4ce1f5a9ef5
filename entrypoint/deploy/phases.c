#include <string.h>

#include "apply/migrate.h"
#include "base/log.h"
#include "credentials/password.h"
#include "deploy/back.h"
#include "deploy/caution.h"
#include "deploy/continuity.h"
#include "deploy/drift_check.h"
#include "deploy/floor_check.h"
#include "deploy/internal.h"
#include "deploy/precaution.h"
#include "deploy/together.h"
#include "deploy/validate.h"
#include "history/shared_folder.h"
#include "postgres/reach.h"
#include "postgres/writable.h"

static void show_history(struct deployment *d)
{
    d->progress->is_compared = true;
    d->progress->due = d->history.due_count;
    d->progress->asked = d->progress->applied + d->history.due_count;
    memcpy(d->progress->migrations, d->history.counts, sizeof d->history.counts);
}

/* Most starts find nothing to do but to compare the scripts with what was recorded. */
static void read_meanwhile(struct deployment *d, struct connection *conn)
{
    if (d->read_ahead == NULL)
        d->read_ahead = shared_read_ahead(d->config->shared_folder, d->arena, d->folder);
    connection_meanwhile(conn, read_ahead_step, d->read_ahead);
}

static enum phase step_connect(struct deployment *d, struct error *err)
{
    connection_close(d->conn);
    turn_give(&d->turn);
    d->is_session_used = d->is_session_marked = false;
    d->beacon = (struct beacon) { .key = 0 };
    if (d->begun != NULL)
        read_meanwhile(d, d->begun);
    d->conn = d->must_write ? writable_reach(d->config, d->endpoint, err)
                            : reach_database(d->config, d->endpoint, steal(&d->begun), err);
    if (d->conn == NULL && writable_is_missing(err) && d->history.counts[VERDICT_PENDING] > 0)
        error_holds(err, "Not applied: %zu pending migration%s of this folder.",
                    d->history.counts[VERDICT_PENDING], text_plural(d->history.counts[VERDICT_PENDING]));
    return d->conn == NULL ? PHASE_FAILED : PHASE_COMPARING;
}

/* Whatever a newer migration, or one beyond --to, is doing or has left: it is not needed. */
static bool is_complete(const struct deployment *d)
{
    return (d->ledger.exists || d->back != NULL) && !d->execution.commit_doubt.is_in_doubt &&
           d->history.due_count == 0;
}

static enum phase complete(const struct deployment *d)
{
    validate_warn_of_strays(&d->history);
    return PHASE_COMPLETE;
}

/* The first answer of the database says which one it is. */
static void show_database(struct deployment *d)
{
    const struct ledger *ledger = &d->ledger;

    if (d->report->database != NULL || ledger->database == NULL || ledger->default_schema == NULL)
        return;
    target_log_database(ledger, d->conn);
    d->report->database = arena_copy(d->arena, ledger->database, strlen(ledger->database));
    d->report->schema = arena_copy(d->arena, ledger->default_schema, strlen(ledger->default_schema));
    d->progress->database = d->report->database;
}

/* What was edited counts and is said, though it stops nothing. */
static enum phase complete_at_once(struct deployment *d, unsigned strict, struct error *err)
{
    if (d->back != NULL)
        return complete(d);
    while (read_ahead_step(d->read_ahead))
        ; /* what was not read before the answer came */
    if (!validate_edited(d->folder, &d->history, strict, err) ||
        !validate_strict(d->folder, &d->history, strict, err))
        return PHASE_FAILED;
    validate_warn_of_edited(d->folder, &d->history);
    validate_say_ahead(d->folder, &d->history);
    show_history(d);
    return complete(d);
}

/* With `tells_attempts`, the rows say what was begun and is not finished. */
static bool compare(struct deployment *d, bool tells_attempts, struct error *err)
{
    history_compare(d->look, d->folder, d->ledger.rows, d->ledger.count, &d->history);
    d->history.read_ahead = d->read_ahead;
    return continuity_check(d, tells_attempts, err) && (d->back == NULL || back_aim(d, err));
}

/* Going back is what lets an older release run again. */
static bool may_run(const struct deployment *d, struct error *err)
{
    return d->back != NULL || floor_check(d->config, &d->ledger, err);
}

/* Most starts find nothing to do, and the rows are enough to know that. */
static bool glance(struct deployment *d, struct error *err)
{
    const struct ledger_request wanted = { d->folder, d->endpoint->schema, LEDGER_CHECKSUMS, false };

    arena_free(d->look);
    d->look = arena_new();
    d->wishes = NULL;
    read_meanwhile(d, d->conn);
    if (!ledger_glance(d->look, d->conn, &wanted, &d->ledger, err))
        return error_context(err, "reading the ledger");
    show_database(d);
    if (!compare(d, d->ledger.dialect->keeps_attempts, err))
        return false;
    show_history(d);
    return may_run(d, err);
}

bool deployment_read(struct deployment *d, struct error *err)
{
    const struct ledger_request wanted = { d->folder, d->endpoint->schema, LEDGER_CHECKSUMS, false };

    if (!ledger_read(d->look, d->conn, &wanted, &d->ledger, err))
        return error_context(err, "reading the ledger");
    return compare(d, true, err);
}

bool deployment_look(struct deployment *d, struct error *err)
{
    arena_free(d->look);
    d->look = arena_new();
    d->wishes = NULL;
    if (!deployment_read(d, err))
        return false;
    show_database(d);
    show_history(d);
    return true;
}

/* Something is pending. */
static enum phase begin_work(struct deployment *d, struct error *err)
{
    if (d->config->is_dry_run)
        return deployment_find_pooling(d, err) && follow_warn(d->conn, d->ledger.lock_key, err) &&
                       deployment_check(d, err) && drift_check(d, err) && caution_take(d, err) &&
                       precaution_check(d, err)
                   ? PHASE_COMPLETE
                   : PHASE_FAILED;
    if (!d->ledger.is_read_only)
        return PHASE_LEADING;
    d->must_write = true;
    return PHASE_CONNECTING;
}

static enum phase step_compare(struct deployment *d, struct error *err)
{
    unsigned strict = validate_strictness(d->config, d->folder->dialect);

    if (d->config->strict == 0 && !d->execution.commit_doubt.is_in_doubt) {
        if (!glance(d, err))
            return PHASE_FAILED;
        if (is_complete(d))
            return complete_at_once(d, strict, err);
        /* Whoever leads reads it again, as for writing. */
        if (!d->config->is_dry_run && d->ledger.default_schema != NULL)
            return begin_work(d, err);
    }
    if (!deployment_look(d, err) || !may_run(d, err))
        return PHASE_FAILED;
    if (is_complete(d)) {
        if (!validate_edited(d->folder, &d->history, strict, err) ||
            !validate_strict(d->folder, &d->history, strict, err))
            return PHASE_FAILED;
        validate_say_findings(d->folder, &d->history);
        show_history(d);
        return complete(d);
    }
    return begin_work(d, err);
}

void deployment_add_applied(const struct deployment *d, struct text *out)
{
    text_add_format(out, "This run has %s %zu migration%s; it has changed nothing else.",
                    d->back == NULL ? "applied" : "rolled back", d->report->applied_count,
                    text_plural(d->report->applied_count));
}

/* A process that waits for its turn again may already have applied something. */
static enum phase give_up_waiting(const struct deployment *d, struct error *err)
{
    auto_text struct text holds = text_init(sizeof err->holds);

    deployment_add_applied(d, &holds);
    if (d->report->applied_count > 0)
        error_holds(err, "%s", holds.at);
    return PHASE_FAILED;
}

/* Without any connection: a waiting process must not use up what it waits for. */
static enum phase step_budget(struct deployment *d, struct error *err)
{
    connection_close(d->conn);
    d->conn = NULL;
    return headroom_pause(&d->headroom, d->config, err) ? PHASE_CONNECTING : give_up_waiting(d, err);
}

static enum phase step_follow(struct deployment *d, struct error *err)
{
    int64_t since = clock_now_ms();
    bool is_going_on;

    connection_close(d->conn);
    d->conn = NULL;
    turn_give(&d->turn);
    is_going_on = d->lease.name == NULL || d->lease.is_held ? follow_pause(&d->following, &d->holder, err)
                                                            : follow_lease(&d->following, &d->lease, err);
    d->progress->leader_wait_seconds += (double)(clock_now_ms() - since) / 1000;
    return is_going_on ? PHASE_CONNECTING : give_up_waiting(d, err);
}

/* It may be opened long after the first connection, when the first password is no longer valid. */
void deployment_prepare_watch(struct deployment *d)
{
    struct error err = { .class = ERROR_NONE };

    if (d->watch.state == WATCH_CLOSED && !password_ask(d->config, d->endpoint, &err))
        watch_forbid(&d->watch, err.message);
}

/* What a migration that was not applied is now, as far as this process knows. */
static enum verdict verdict_after(const struct deployment *d, const struct error *err)
{
    const struct failure_facts *facts = &d->execution.failure.facts;
    bool has_row = d->execution.mode != MODE_ATOMIC && facts->has_begun;

    if (!has_row)
        return d->history.items[d->next].verdict;
    if (err->class == ERROR_PARTIAL)
        return VERDICT_FAILED;
    return facts->has_effect || facts->leftover != LEFTOVER_NOTHING || err->class == ERROR_LOST
               ? VERDICT_INTERRUPTED
               : VERDICT_PENDING;
}

void deployment_count(struct deployment *d, enum verdict from, enum verdict to)
{
    size_t *counts = d->progress->migrations;

    counts[from] -= counts[from] > 0;
    counts[to]++;
}

void deployment_note_applied(struct deployment *d)
{
    d->progress->current = NULL;
    d->is_session_used = true;
    deployment_count(d, VERDICT_RUNNING, d->back == NULL ? VERDICT_APPLIED : VERDICT_PENDING);
    if (d->back == NULL)
        ledger_count_applied(&d->ledger, d->execution.migration, d->execution.id,
                             d->execution.unfinished == NULL);
    deployment_report_applied(d);
    /* The record of a failure names it, too. */
    log_context(LOG_MIGRATION, NULL);
}

static bool apply_one(struct deployment *d, struct error *err)
{
    bool is_applied;

    deployment_count(d, d->history.items[d->next].verdict, VERDICT_RUNNING);
    /* More than a transaction may take long, and who applied those before it is known sooner. */
    if (d->report->due[d->due++].mode != MODE_ATOMIC)
        deployment_record_origins(d);
    deployment_prepare_watch(d);
    d->is_session_marked |= !d->is_for_burst[d->next];
    d->started_ms = clock_now_ms();
    log_context(LOG_MIGRATION, d->execution.migration->name);
    is_applied = migration_apply(&d->execution, d->report->applied_count, err);
    d->progress->current = NULL;
    d->is_session_used = true;
    if (is_applied)
        deployment_note_applied(d);
    else
        deployment_count(d, VERDICT_RUNNING, verdict_after(d, err));
    if (is_applied && origin_queue_is_due(&d->origins))
        deployment_record_origins(d);
    return is_applied;
}

/* Another process may have led, behind a pooler. */
static enum phase stop(struct deployment *d, struct error *err)
{
    if (!d->execution.is_overtaken || !leader_find(d->conn, d->ledger.lock_key, &d->holder, err))
        return PHASE_FAILED;
    return PHASE_FOLLOWING;
}

static enum phase step_apply(struct deployment *d, struct error *err)
{
    while (d->next < d->folder->count) {
        const struct early_failure *early = NULL;
        size_t before = d->next;

        if (!deployment_is_due(d, d->next)) {
            d->next = deployment_behind(d, d->next);
            continue;
        }
        d->execution = deployment_begin_migration(d, d->next);
        if (!execution_may_go_on(&d->execution, err) || !together_apply(d, &early, err))
            return PHASE_FAILED;
        if (early == NULL && d->next > before)
            continue;
        d->execution = deployment_begin_migration(d, d->next);
        d->execution.early = early;
        if (!apply_one(d, err))
            return stop(d, err);
        d->losses = 0;
        d->next = deployment_behind(d, d->next);
    }
    return PHASE_COMPLETE;
}

const struct phase_row PHASE_ROWS[PHASES] = {
    [PHASE_CONNECTING] = { PROGRESS_CONNECTING, step_connect, 1u << PHASE_COMPARING },
    [PHASE_COMPARING] = { PROGRESS_CONNECTING, step_compare,
                          1u << PHASE_COMPLETE | 1u << PHASE_LEADING | 1u << PHASE_CONNECTING },
    [PHASE_BUDGETING] = { PROGRESS_WAITING_BUDGET, step_budget, 1u << PHASE_CONNECTING },
    [PHASE_LEADING] = { PROGRESS_CONNECTING, deployment_lead,
                        1u << PHASE_PREPARING | 1u << PHASE_FOLLOWING | 1u << PHASE_BUDGETING |
                            1u << PHASE_CONNECTING },
    [PHASE_FOLLOWING] = { PROGRESS_WAITING_LEADER, step_follow, 1u << PHASE_CONNECTING },
    [PHASE_PREPARING] = { PROGRESS_APPLYING, deployment_prepare,
                          1u << PHASE_APPLYING | 1u << PHASE_FOLLOWING },
    [PHASE_APPLYING] = { PROGRESS_APPLYING, step_apply, 1u << PHASE_COMPLETE | 1u << PHASE_FOLLOWING },
    [PHASE_COMPLETE] = { .shown = PROGRESS_COMPLETE },
    [PHASE_FAILED] = { .shown = PROGRESS_FAILED },
};

#include "deploy/deployment.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "deploy/back.h"
#include "deploy/continuity.h"
#include "deploy/drift_check.h"
#include "deploy/internal.h"
#include "postgres/handover.h"
#include "postgres/query.h"
#include "postgres/query_failure.h"
#include "postgres/writable.h"

/* How many broken connections in a row are replaced before the deployment gives up. */
enum { LOSSES_MOST = 3 };

/* A process that reconnects to look is still waiting for the same thing. */
static void show_phase(struct deployment *d, enum phase phase)
{
    enum progress_phase shown = PHASE_ROWS[phase].shown;

    if (shown == PROGRESS_CONNECTING &&
        (d->progress->phase == PROGRESS_WAITING_LEADER || d->progress->phase == PROGRESS_WAITING_BUDGET))
        return;
    d->progress->is_leader = shown == PROGRESS_APPLYING;
    if (shown != d->progress->phase)
        progress_enter(d->progress, shown);
}

/* Whatever ends the deployment, "nothing was changed" is not known while a COMMIT is in doubt. */
static void say_doubt(struct deployment *d, struct error *err)
{
    if (!d->execution.commit_doubt.is_in_doubt)
        return;
    err->holds[0] = '\0';
    if (err->class == ERROR_LOST)
        err->hint[0] = '\0'; /* ours, from when it was lost */
    (void)execution_explain(&d->execution, err);
}

/* Where a migration has failed, that has been said with what the database holds. */
static void say_between(const struct deployment *d, struct error *err)
{
    auto_text struct text holds = text_init(sizeof err->holds);

    if (err->class == ERROR_INTERRUPTED && err->hint[0] == '\0')
        error_hint(err, d->back == NULL ? "Deploy again." : "Type the same again.");
    if (err->holds[0] != '\0')
        return;
    if (d->report->applied_count == 0)
        text_add_format(&holds, "This run has %s no migration.", d->back == NULL ? "applied" : "rolled back");
    else
        deployment_add_applied(d, &holds);
    (void)query_failure_explain(err, holds.at);
    if (err->holds[0] == '\0')
        error_holds(err, "%s", holds.at);
}

/* A broken connection is replaced, and so is one that may no longer write: the ledger says what was done. Not
 * forever, since a script may be the cause, nor for a migration whose time is over. */
static enum phase recover(struct deployment *d, struct error *err)
{
    bool is_read_only = writable_is_missing(err) && d->conn != NULL;
    bool is_lost = err->class == ERROR_LOST || is_read_only;
    bool is_given_up = is_lost && ++d->losses > LOSSES_MOST;
    bool is_late = d->execution.timeout_ms > 0 && deadline_passed(d->execution.until);

    if (!is_lost || signals_pending() != 0 || is_given_up ||
        (is_late && !d->execution.commit_doubt.is_in_doubt)) {
        say_doubt(d, err);
        say_between(d, err);
        if (is_given_up && !is_read_only)
            error_hint(err, "%s",
                       strstr(err->message, QUERY_SHARED) != NULL
                           ? "Deploy again when nobody else is connected, or set DIRECT_URL to an address "
                             "where each client has a session of its own."
                           : "Check the server's log: it may be out of memory, or this migration may crash "
                             "it.");
        return PHASE_FAILED;
    }
    continuity_note_progress(d);
    d->must_write |= is_read_only;
    log_warn("%s; reconnecting", err->message);
    return PHASE_CONNECTING;
}

/* Called from some wait: the current statement must not be committed. */
static void on_lost_lease(void *context)
{
    struct deployment *d = context;

    watch_cancel(&d->watch, ERROR_LEADER, "the Lease was lost");
}

static void begin(struct deployment *d, struct target *target)
{
    const struct config *config = d->config;

    d->arena = config->arena;
    d->endpoint = &target->endpoint;
    d->folder = &target->folder;
    d->begun = steal(&target->begun);
    d->following.until = deadline_in(config->leader_timeout_ms);
    d->headroom.patience.until = deadline_in(config->budget_wait_ms);
    *d->report = (struct deployment_report) {
        .folder = d->folder,
        .applied = arena_alloc(d->arena, d->folder->count, sizeof *d->report->applied),
    };
    d->is_ours = arena_alloc(d->arena, d->folder->count, sizeof *d->is_ours);
    d->reached.index = d->folder->count;
    watch_begin(&d->watch,
                (struct watch_limits) { .max_blocked = config->max_blocked,
                                        .max_blocked_for_ms = config->max_blocked_for_ms },
                d->progress);
    if (config->connections < 2)
        watch_forbid(&d->watch, "--connections 1");
}

/* The next tenant of the database may have the session, unless a script has done more in it than to define
 * something: a reset does not take back everything. */
static void leave(struct deployment *d, bool is_complete)
{
    const bool is_used = d->turn.key != NULL || d->is_session_used;

    if (d->conn != NULL && is_complete && !d->is_session_marked && d->pooling != POOLING_TRANSACTION &&
        d->config->handover != NULL && !d->config->handover->is_last) {
        handover_leave(d->config->handover, d->endpoint, d->conn, is_used);
        return;
    }
    if (is_complete && turn_is_awaited(&d->turn))
        leader_leave(d->conn);
    connection_close(d->conn);
}

static bool run(struct deployment *d, struct error *err)
{
    const struct config *config = d->config;
    enum phase phase = PHASE_CONNECTING;

    if (!rule_levels_read(config->rule_levels.text, config->rule_levels.origin, &d->levels, err) ||
        !lease_begin(&d->lease, config, on_lost_lease, d, err))
        phase = PHASE_FAILED;
    while (phase != PHASE_COMPLETE && phase != PHASE_FAILED) {
        enum phase next;

        show_phase(d, phase);
        next = PHASE_ROWS[phase].step(d, err);
        if (next == PHASE_FAILED)
            next = recover(d, err);
        else if ((PHASE_ROWS[phase].next & 1u << next) == 0)
            abort();
        phase = next;
    }
    watch_end(&d->watch);
    deployment_record_origins(d);
    drift_check_record(d);
    origin_queue_clear(&d->origins);
    burst_free(d->burst);
    deployment_forget_script(d);
    leave(d, phase == PHASE_COMPLETE);
    turn_give(&d->turn);
    connection_close(d->begun);
    lease_end(&d->lease);
    arena_free(d->look);
    return phase == PHASE_COMPLETE;
}

bool deployment_run(const struct config *config, struct target *target, struct progress *progress,
                    struct deployment_report *report, struct error *err)
{
    struct deployment d = { .config = config, .report = report, .progress = progress };

    begin(&d, target);
    return run(&d, err);
}

bool deployment_go_back(const struct config *config, struct target *target, struct progress *progress,
                        struct deployment_report *report, struct error *err)
{
    struct deployment d = { .config = config, .report = report, .progress = progress };
    struct back back;
    bool is_done;

    begin(&d, target);
    back_begin(&d, &back);
    is_done = run(&d, err);
    if (is_done &&
        (config->is_dry_run ? report->due_count > 0 && !back.guard.has_unseen : report->applied_count > 0))
        loss_warn_unmet(&back.guard);
    loss_guard_end(&back.guard);
    return is_done;
}

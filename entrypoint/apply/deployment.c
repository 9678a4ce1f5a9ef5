#include "apply/deployment.h"

#include <stdlib.h>
#include <string.h>

#include "apply/applying.h"
#include "apply/follow.h"
#include "apply/lead.h"
#include "apply/migrate.h"
#include "apply/review.h"
#include "apply/room.h"
#include "base/log.h"
#include "base/signals.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "lock/leader.h"
#include "postgres/outcome.h"

/* How often in a row a broken connection is made anew before the deployment gives up. */
enum { LOSSES_MOST = 3 };

struct deployment {
    struct arena *arena; /* of the caller: what the report points to */
    struct arena *look;  /* of the latest comparison */
    const struct config *config;
    const struct endpoint *endpoint;
    const struct folder *folder;
    struct deployment_report *report;
    struct progress *progress;

    struct connection *begun; /* the first connection, while it is not complete */
    struct connection *conn;
    struct ledger ledger;
    struct history history;
    struct leader holder;
    struct follow follow;
    struct room room;
    struct session_settings settings;
    struct applying applying; /* the migration at hand, or the last one */
    int64_t started_ms;       /* when it was begun */
    size_t next;              /* index in the folder of what is looked at next */
    unsigned losses;
    bool is_session_used;
    bool is_reviewed; /* what an operator should know has been said once */
};

typedef enum phase phase_step(struct deployment *d, struct error *err);

/* What the world outside sees of the phases. */
static const enum progress_phase SHOWN[] = {
    [PHASE_CONNECTING] = PROGRESS_CONNECTING,    [PHASE_COMPARING] = PROGRESS_CONNECTING,
    [PHASE_BUDGETING] = PROGRESS_WAITING_BUDGET, [PHASE_LEADING] = PROGRESS_CONNECTING,
    [PHASE_FOLLOWING] = PROGRESS_WAITING_LEADER, [PHASE_PREPARING] = PROGRESS_APPLYING,
    [PHASE_APPLYING] = PROGRESS_APPLYING,
};

/* Who connects again to look still waits for what it waited for. */
static void show_phase(struct deployment *d, enum phase phase)
{
    enum progress_phase shown = SHOWN[phase];

    if (shown == PROGRESS_CONNECTING &&
        (d->progress->phase == PROGRESS_WAITING_LEADER || d->progress->phase == PROGRESS_WAITING_BUDGET))
        return;
    d->progress->is_leader = shown == PROGRESS_APPLYING;
    if (shown != d->progress->phase)
        progress_enter(d->progress, shown);
}

static void show_history(struct deployment *d)
{
    d->progress->is_compared = true;
    memcpy(d->progress->migrations, d->history.counts, sizeof d->history.counts);
}

static enum phase step_connect(struct deployment *d, struct error *err)
{
    connection_close(d->conn);
    d->is_session_used = false;
    d->conn = reach_database(d->config, d->endpoint, steal(&d->begun), err);
    return d->conn == NULL ? PHASE_FAILED : PHASE_COMPARING;
}

static bool is_complete(const struct deployment *d)
{
    return d->ledger.exists && d->history.counts[VERDICT_PENDING] == 0 && d->history.failed_count == 0;
}

/* Most starts find nothing to do. Names are enough to know that: what was applied is not even read, and
 * nothing is asked about the session. */
static bool glance(struct deployment *d, struct error *err)
{
    arena_free(d->look);
    d->look = arena_new();
    if (!ledger_glance(d->look, d->conn, d->endpoint->schema, &d->ledger, err))
        return error_context(err, "reading the ledger");
    history_compare(d->look, d->folder, d->ledger.rows, d->ledger.count, &d->history);
    show_history(d);
    return true;
}

static bool look(struct deployment *d, enum ledger_depth depth, struct error *err)
{
    arena_free(d->look);
    d->look = arena_new();
    if (!ledger_read(d->look, d->conn, d->endpoint->schema, depth, &d->ledger, err))
        return error_context(err, "reading the ledger");
    log_context(LOG_DATABASE, d->ledger.database);
    d->report->database = arena_copy(d->arena, d->ledger.database, strlen(d->ledger.database));
    d->report->schema = arena_copy(d->arena, d->ledger.schema, strlen(d->ledger.schema));
    history_compare(d->look, d->folder, d->ledger.rows, d->ledger.count, &d->history);
    show_history(d);
    return true;
}

static enum phase step_compare(struct deployment *d, struct error *err)
{
    if (!d->config->is_strict && !d->applying.is_in_doubt) {
        if (!glance(d, err))
            return PHASE_FAILED;
        if (is_complete(d))
            return PHASE_COMPLETE;
    }
    if (!look(d, LEDGER_NAMES, err))
        return PHASE_FAILED;
    if (!is_complete(d) && d->ledger.is_standby) {
        error_set(err, ERROR_UNREACHABLE,
                  "the server is a read-only standby, and there is something to write");
        error_holds(err, "%zu migrations of this folder are pending.", d->history.counts[VERDICT_PENDING]);
        error_hint(err, "Point the URL at the primary, or name all hosts: target_session_attrs=read-write.");
        return PHASE_FAILED;
    }
    return d->ledger.is_standby ? PHASE_PREPARING : PHASE_LEADING;
}

static enum phase step_lead(struct deployment *d, struct error *err)
{
    if (!lead_check_endpoint(d->endpoint, err))
        return PHASE_FAILED;
    if (d->ledger.backend_pid != connection_backend_pid(d->conn))
        log_warn(
            "something between here and the server answers for it: behind a transaction-mode pooler the "
            "leader lock protects nothing, then give the database itself as DIRECT_URL");
    if (!room_look(&d->room, d->conn, d->config, err))
        return PHASE_FAILED;
    if (!d->room.is_enough)
        return PHASE_BUDGETING;
    switch (leader_try(d->conn, &d->holder, err)) {
    case LEADER_TAKEN:
        return PHASE_PREPARING;
    case LEADER_HELD:
        return PHASE_FOLLOWING;
    case LEADER_UNKNOWN:
        break;
    }
    error_context(err, "taking the leader lock");
    return PHASE_FAILED;
}

/* Without any connection: one that waits takes what it waits for. */
static enum phase step_budget(struct deployment *d, struct error *err)
{
    connection_close(d->conn);
    d->conn = NULL;
    return room_pause(&d->room, d->config, err) ? PHASE_CONNECTING : PHASE_FAILED;
}

static enum phase step_follow(struct deployment *d, struct error *err)
{
    int64_t since = clock_now_ms();
    bool is_going_on;

    connection_close(d->conn);
    d->conn = NULL;
    is_going_on = follow_pause(&d->follow, &d->holder, err);
    d->progress->leader_wait_seconds += (double)(clock_now_ms() - since) / 1000;
    return is_going_on ? PHASE_CONNECTING : PHASE_FAILED;
}

static void report_applied(struct deployment *d)
{
    int64_t took_ms = clock_now_ms() - d->started_ms;
    struct deployment_report *report = d->report;
    const char *mode = MODE_NAMES[d->applying.mode];
    const struct log_value values[] = { { .name = "duration_ms", .number = took_ms },
                                        { .name = "mode", .text = mode } };
    char took[32];

    d->progress->applied++;
    d->progress->last_seconds = (double)took_ms / 1000;
    d->progress->migrations[VERDICT_PENDING] -= d->progress->migrations[VERDICT_PENDING] > 0;
    d->progress->migrations[VERDICT_APPLIED]++;
    report->applied[report->applied_count++] = (struct applied_migration) {
        .name = d->applying.migration->name, .took_ms = took_ms, .mode = d->applying.mode
    };
    log_event(LOG_INFO, values, array_length(values), "applied %s (%s%s%s)", d->applying.migration->name,
              duration_text(took_ms, took, sizeof took), d->applying.mode == MODE_ATOMIC ? "" : ", ",
              d->applying.mode == MODE_ATOMIC ? "" : mode);
}

static bool is_recorded(const struct deployment *d, const char *name)
{
    for (size_t i = 0; i < d->folder->count; i++) {
        if (strcmp(d->folder->items[i].name, name) == 0)
            return d->history.items[i].verdict != VERDICT_PENDING;
    }
    return false;
}

/* The migration whose COMMIT got no answer: what became of it. The ledger row commits with the script, so it
 * is the truth as soon as that transaction has ended; and it has, since its session held the leader lock that
 * is ours now. A row without our transaction is another process's, which led while we were gone. */
static bool settle_doubt(struct deployment *d, struct error *err)
{
    const char *name = d->applying.migration->name;
    bool has_row = is_recorded(d, name);
    bool is_ours;
    enum outcome outcome;

    if (!outcome_ask(d->conn, d->applying.txid, &outcome, err))
        return error_context(err, "finding out whether %s was committed", name);
    if (outcome != OUTCOME_FORGOTTEN && outcome != OUTCOME_ABORTED &&
        !(outcome == OUTCOME_COMMITTED && has_row)) {
        error_set(err, ERROR_REFUSED,
                  "ledger and server disagree about \"%s\": its transaction %s is %s, its row is %s", name,
                  d->applying.txid, OUTCOME_NAMES[outcome], has_row ? "there" : "missing");
        return error_hint(err, "Look at the ledger and at the schema before you deploy again.");
    }
    d->applying.is_in_doubt = false;
    is_ours = has_row && outcome != OUTCOME_ABORTED;
    log_info("the answer to COMMIT of %s was lost: it was %s", name,
             is_ours   ? "committed"
             : has_row ? "rolled back, and another process has applied it since"
                       : "rolled back");
    if (is_ours)
        report_applied(d);
    return true;
}

static enum phase step_prepare(struct deployment *d, struct error *err)
{
    /* Compared again: between the first look and the lock another process may have led. */
    if (!look(d, LEDGER_CHECKSUMS, err))
        return PHASE_FAILED;
    if (!d->ledger.exists) {
        if (!ledger_create(d->conn, &d->ledger, false, err) || !look(d, LEDGER_CHECKSUMS, err))
            return PHASE_FAILED;
    }
    if (d->applying.is_in_doubt && !settle_doubt(d, err))
        return PHASE_FAILED;
    if (!review_failed(d->folder, &d->history, err) ||
        !review_edited(d->folder, &d->history, d->config->is_strict, err))
        return PHASE_FAILED;
    if (!d->is_reviewed && !review_findings(d->folder, &d->history, d->config->is_strict, err))
        return PHASE_FAILED;
    d->is_reviewed = true;
    d->settings = (struct session_settings) {
        .search_path = d->endpoint->schema,
        .lock_timeout_ms = d->config->lock_timeout_ms > 0 ? d->config->lock_timeout_ms : -1,
        .statement_timeout_ms = d->config->statement_timeout_ms > 0 ? d->config->statement_timeout_ms : -1,
    };
    if (!d->ledger.is_standby)
        d->settings.can_check_connection = session_can_check_connection(d->conn);
    if (!d->ledger.is_standby && !query_run(d->conn, &SESSION_IDLE_LIMIT, NULL, NULL, err))
        return PHASE_FAILED;
    d->next = 0;
    return PHASE_APPLYING;
}

static bool apply_one(struct deployment *d, size_t index, struct error *err)
{
    const struct history_item *item = &d->history.items[index];
    bool is_applied;

    d->started_ms = clock_now_ms();
    d->applying = (struct applying) {
        .conn = d->conn,
        .ledger = &d->ledger,
        .migration = &d->folder->items[index],
        .unfinished = item->verdict == VERDICT_FAILED ? item->row : NULL,
        .settings = d->settings,
        .is_session_used = d->is_session_used,
        .progress = d->progress,
    };
    log_context(LOG_MIGRATION, d->applying.migration->name);
    is_applied = migration_apply(&d->applying, d->report->applied_count, err);
    d->progress->current = NULL;
    d->is_session_used = true;
    if (is_applied)
        report_applied(d);
    log_context(LOG_MIGRATION, NULL);
    return is_applied;
}

static enum phase step_apply(struct deployment *d, struct error *err)
{
    for (; d->next < d->folder->count; d->next++) {
        enum verdict verdict = d->history.items[d->next].verdict;

        if (verdict != VERDICT_PENDING && verdict != VERDICT_FAILED)
            continue;
        if (signals_pending() != 0) {
            signals_error(err);
            return PHASE_FAILED;
        }
        if (!apply_one(d, d->next, err))
            return PHASE_FAILED;
        d->losses = 0;
    }
    return PHASE_COMPLETE;
}

const char *const PHASE_NAMES[] = {
    [PHASE_CONNECTING] = "connecting", [PHASE_COMPARING] = "comparing", [PHASE_BUDGETING] = "budgeting",
    [PHASE_LEADING] = "leading",       [PHASE_FOLLOWING] = "following", [PHASE_PREPARING] = "preparing",
    [PHASE_APPLYING] = "applying",     [PHASE_COMPLETE] = "complete",   [PHASE_FAILED] = "failed",
};
_Static_assert(sizeof PHASE_NAMES / sizeof *PHASE_NAMES == PHASES, "name every phase");

/* Each phase's step, and where it may lead; the driver insists on that. */
static const struct {
    phase_step *step;
    unsigned next;
} STEPS[] = {
    [PHASE_CONNECTING] = { step_connect, 1u << PHASE_COMPARING },
    [PHASE_COMPARING] = { step_compare, 1u << PHASE_COMPLETE | 1u << PHASE_LEADING | 1u << PHASE_PREPARING },
    [PHASE_BUDGETING] = { step_budget, 1u << PHASE_CONNECTING },
    [PHASE_LEADING] = { step_lead, 1u << PHASE_PREPARING | 1u << PHASE_FOLLOWING | 1u << PHASE_BUDGETING },
    [PHASE_FOLLOWING] = { step_follow, 1u << PHASE_CONNECTING },
    [PHASE_PREPARING] = { step_prepare, 1u << PHASE_APPLYING },
    [PHASE_APPLYING] = { step_apply, 1u << PHASE_COMPLETE },
};
_Static_assert(sizeof STEPS / sizeof *STEPS == PHASE_COMPLETE, "a step for every phase that has one");

/* A connection that broke is made anew: what was done is in the ledger. Not for ever, since a script may be
 * what breaks it. */
static enum phase recover(struct deployment *d, struct error *err)
{
    if (err->class != ERROR_LOST || signals_pending() != 0)
        return PHASE_FAILED;
    if (++d->losses > LOSSES_MOST) {
        if (d->applying.is_in_doubt)
            error_holds(err, "Whether %s was committed is not known yet; the next deployment finds out.",
                        d->applying.migration->name);
        error_hint(err, "See the server's log: it may be out of memory, or this migration crashes it.");
        return PHASE_FAILED;
    }
    log_warn("%s; connecting again", err->message);
    return PHASE_CONNECTING;
}

bool deployment_run(struct arena *arena, const struct config *config, struct target *target,
                    struct progress *progress, struct deployment_report *report, struct error *err)
{
    const struct folder *folder = &target->folder;
    struct deployment d = { .arena = arena,
                            .config = config,
                            .endpoint = &target->endpoint,
                            .folder = folder,
                            .report = report,
                            .progress = progress,
                            .begun = steal(&target->begun),
                            .follow = { .until = deadline_in(config->leader_timeout_ms) },
                            .room = { .until = deadline_in(config->budget_wait_ms) } };
    enum phase phase = PHASE_CONNECTING;
    int64_t started = clock_now_ms();
    char took[32];

    *report =
        (struct deployment_report) { .folder = folder,
                                     .applied = arena_alloc(arena, folder->count, sizeof *report->applied) };
    while (phase != PHASE_COMPLETE && phase != PHASE_FAILED) {
        enum phase next;

        log_context(LOG_PHASE, PHASE_NAMES[phase]);
        show_phase(&d, phase);
        next = STEPS[phase].step(&d, err);
        if (next == PHASE_FAILED)
            next = recover(&d, err);
        else if ((STEPS[phase].next & 1u << next) == 0)
            abort();
        phase = next;
    }
    log_context(LOG_PHASE, PHASE_NAMES[phase]);
    if (phase == PHASE_COMPLETE && report->applied_count > 0)
        log_info("applied %zu migrations in %s", report->applied_count,
                 duration_text(clock_now_ms() - started, took, sizeof took));
    connection_close(d.conn);
    arena_free(d.look);
    return phase == PHASE_COMPLETE;
}

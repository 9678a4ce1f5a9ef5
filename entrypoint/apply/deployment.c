#include "apply/deployment.h"

#include <stdlib.h>
#include <string.h>

#include "apply/applied.h"
#include "apply/applying.h"
#include "apply/doubt.h"
#include "apply/migrate.h"
#include "apply/review.h"
#include "apply/room.h"
#include "base/log.h"
#include "base/signals.h"
#include "credentials/password.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "lock/follow.h"
#include "lock/leader.h"
#include "lock/lease.h"
#include "postgres/reach.h"

/* How often in a row a broken connection is made anew before the deployment gives up. */
enum { LOSSES_MOST = 3 };

struct deployment {
    struct arena *arena; /* of the caller: what the report points to */
    struct arena *look;  /* of the latest comparison */
    const struct config *config;
    struct endpoint *endpoint;
    const struct folder *folder;
    struct deployment_report *report;
    struct progress *progress;

    struct connection *begun; /* the first connection, while it is not complete */
    struct connection *conn;
    struct ledger ledger;
    struct history history;
    struct leader holder;
    struct lease lease;
    struct follow follow;
    struct room room;
    struct watch watch;
    struct session_settings settings;
    struct applying applying; /* the migration at hand, or the last one */
    int64_t started_ms;       /* when it was begun */
    size_t next;              /* index in the folder of what is looked at next */
    unsigned losses;
    enum pooling pooling;
    bool is_session_used;
    bool is_reviewed; /* what an operator should know has been said once */
};

typedef enum phase phase_step(struct deployment *d, struct error *err);

/* Who connects again to look still waits for what it waited for. */
static void show_phase(struct deployment *d, enum phase phase)
{
    enum progress_phase shown = PHASES_SHOWN[phase];

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
    d->progress->database = d->report->database;
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

static bool look_for_pooler(struct deployment *d, struct error *err)
{
    if (d->pooling == POOLING_UNKNOWN) {
        if (!reach_find_pooling(d->config, d->endpoint, d->conn, &d->pooling, err))
            return error_context(err, "finding out what stands between here and the server");
        if (d->pooling == POOLING_TRANSACTION)
            watch_forbid(&d->watch, "through a pooler it can't know whom to look at");
        if (d->pooling == POOLING_TRANSACTION)
            log_info(
                "behind a pooler in transaction mode: each migration takes the leader lock for its own "
                "transaction; with DIRECT_URL a deployment holds it throughout");
    }
    return true;
}

/* Where no session is ours, nothing is taken here: the lock comes with each transaction. Room is the pooler's
 * affair then, which has the connections already. */
static enum leader_answer try_to_lead(struct deployment *d, struct error *err)
{
    if (d->pooling != POOLING_TRANSACTION)
        return leader_try(d->conn, &d->holder, err);
    if (!leader_find(d->conn, &d->holder, err))
        return LEADER_UNKNOWN;
    return d->holder.pid == 0 ? LEADER_TAKEN : LEADER_HELD;
}

static enum phase step_lead(struct deployment *d, struct error *err)
{
    if (!look_for_pooler(d, err))
        return PHASE_FAILED;
    if (connection_is_lost(d->conn))
        return PHASE_CONNECTING;
    if (d->pooling != POOLING_TRANSACTION) {
        if (!room_look(&d->room, d->conn, d->config, d->progress, err))
            return PHASE_FAILED;
        if (!d->room.is_enough)
            return PHASE_BUDGETING;
        if (d->room.left <= d->config->headroom)
            watch_forbid(&d->watch, "the application would have too few left");
    }
    switch (lease_try(&d->lease, err)) {
    case LEASE_TAKEN:
        break;
    case LEASE_FREE:
    case LEASE_HELD:
        return PHASE_FOLLOWING;
    case LEASE_UNKNOWN:
        return PHASE_FAILED;
    }
    switch (try_to_lead(d, err)) {
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
    is_going_on = d->lease.name == NULL || d->lease.is_held ? follow_pause(&d->follow, &d->holder, err)
                                                            : follow_lease(&d->follow, &d->lease, err);
    d->progress->leader_wait_seconds += (double)(clock_now_ms() - since) / 1000;
    return is_going_on ? PHASE_CONNECTING : PHASE_FAILED;
}

static void report_applied(struct deployment *d)
{
    applied_report(&d->applying, clock_now_ms() - d->started_ms, d->report);
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
    bool is_ours;

    if (!doubt_settle(&d->applying, d->conn, is_recorded(d, d->applying.migration->name), &is_ours, err))
        return false;
    if (is_ours)
        report_applied(d);
    return true;
}

/* Where no session holds the leader lock, in a transaction that does. Another process may have created it
 * meanwhile. */
static enum phase create_ledger_pooled(struct deployment *d, struct error *err)
{
    static const struct query commit = { .name = "commit", .sql = "COMMIT" };
    bool exists;

    switch (leader_begin(d->conn, &d->holder, err)) {
    case LEADER_TAKEN:
        break;
    case LEADER_HELD:
        return PHASE_FOLLOWING;
    case LEADER_UNKNOWN:
        return PHASE_FAILED;
    }
    if (ledger_exists(d->conn, &d->ledger, &exists, err) &&
        (exists || ledger_create(d->conn, &d->ledger, false, err)) &&
        query_run(d->conn, &commit, NULL, NULL, err))
        return PHASE_PREPARING;
    applying_roll_back(d->conn);
    return PHASE_FAILED;
}

/* The ledger as it is under the leader lock, created if need be: between the first look and the lock another
 * process may have led. */
static enum phase look_as_leader(struct deployment *d, struct error *err)
{
    enum phase next = PHASE_PREPARING;

    if (!look(d, LEDGER_CHECKSUMS, err))
        return PHASE_FAILED;
    if (d->ledger.exists)
        return next;
    if (d->pooling == POOLING_TRANSACTION)
        next = create_ledger_pooled(d, err);
    else if (!ledger_create(d->conn, &d->ledger, false, err))
        return PHASE_FAILED;
    return next != PHASE_PREPARING || look(d, LEDGER_CHECKSUMS, err) ? next : PHASE_FAILED;
}

static struct applying new_applying(struct deployment *d, size_t index)
{
    const struct history_item *item = &d->history.items[index];

    return (struct applying) {
        .conn = d->conn,
        .ledger = &d->ledger,
        .migration = &d->folder->items[index],
        .unfinished = item->verdict == VERDICT_FAILED ? item->row : NULL,
        .settings = d->settings,
        .retry = { .lock_timeout_ms = d->config->lock_timeout_ms, .retry_for_ms = d->config->retry_for_ms },
        .is_session_used = d->is_session_used,
        .is_pooled = d->pooling == POOLING_TRANSACTION,
        .timeout_ms = d->config->migration_timeout_ms,
        .policy = { .terminate_idle_ms = d->config->terminate_idle_ms,
                    .cancel_ms = d->config->cancel_blockers_ms },
        .watch = &d->watch,
        .lease = &d->lease,
        .progress = d->progress,
    };
}

static bool is_due(const struct deployment *d, size_t index)
{
    enum verdict verdict = d->history.items[index].verdict;

    return verdict == VERDICT_PENDING || verdict == VERDICT_FAILED;
}

/* Before anything is applied: a deployment that must stop at its third migration should not begin. */
static bool check_pooled(struct deployment *d, struct error *err)
{
    for (size_t i = 0; d->pooling == POOLING_TRANSACTION && i < d->folder->count; i++) {
        struct applying applying = new_applying(d, i);

        if (is_due(d, i) && !migration_check_pooled(&applying, err))
            return false;
    }
    return true;
}

static enum phase step_prepare(struct deployment *d, struct error *err)
{
    bool is_running = false;
    enum phase next;

    if (d->applying.is_in_doubt && !doubt_is_running(&d->applying, d->conn, &is_running, err))
        return PHASE_FAILED;
    if (is_running)
        return leader_find(d->conn, &d->holder, err) ? PHASE_FOLLOWING : PHASE_FAILED;
    next = look_as_leader(d, err);
    if (next != PHASE_PREPARING)
        return next;
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
        .lock_timeout_ms = -1,
        .statement_timeout_ms = d->config->statement_timeout_ms > 0 ? d->config->statement_timeout_ms : -1,
    };
    if (!d->ledger.is_standby)
        d->settings.can_check_connection = session_can_check_connection(d->conn);
    if (!check_pooled(d, err))
        return PHASE_FAILED;
    d->next = 0;
    return PHASE_APPLYING;
}

/* It may be opened long after the first connection, when that one's password is no good any more. */
static void prepare_watch(struct deployment *d)
{
    struct error err = { .class = ERROR_NONE };

    if (d->watch.state == WATCH_CLOSED && !password_ask(d->config, d->endpoint, &err))
        watch_forbid(&d->watch, err.message);
}

static bool apply_one(struct deployment *d, struct error *err)
{
    bool is_applied;

    prepare_watch(d);
    d->started_ms = clock_now_ms();
    log_context(LOG_MIGRATION, d->applying.migration->name);
    is_applied = migration_apply(&d->applying, d->report->applied_count, err);
    d->progress->current = NULL;
    d->is_session_used = true;
    if (is_applied) {
        d->ledger.size.rows++;
        d->ledger.size.finished++;
        report_applied(d);
    }
    log_context(LOG_MIGRATION, NULL);
    return is_applied;
}

static enum phase step_apply(struct deployment *d, struct error *err)
{
    for (; d->next < d->folder->count; d->next++) {
        if (!is_due(d, d->next))
            continue;
        d->applying = new_applying(d, d->next);
        if (!applying_may_go_on(&d->applying, err))
            return PHASE_FAILED;
        if (!apply_one(d, err)) {
            if (!d->applying.is_overtaken || !leader_find(d->conn, &d->holder, err))
                return PHASE_FAILED;
            return PHASE_FOLLOWING;
        }
        d->losses = 0;
    }
    return PHASE_COMPLETE;
}

/* Each phase's step, and where it may lead; the driver insists on that. */
static const struct {
    phase_step *step;
    unsigned next;
} STEPS[] = {
    [PHASE_CONNECTING] = { step_connect, 1u << PHASE_COMPARING },
    [PHASE_COMPARING] = { step_compare, 1u << PHASE_COMPLETE | 1u << PHASE_LEADING | 1u << PHASE_PREPARING },
    [PHASE_BUDGETING] = { step_budget, 1u << PHASE_CONNECTING },
    [PHASE_LEADING] = { step_lead, 1u << PHASE_PREPARING | 1u << PHASE_FOLLOWING | 1u << PHASE_BUDGETING |
                                       1u << PHASE_CONNECTING },
    [PHASE_FOLLOWING] = { step_follow, 1u << PHASE_CONNECTING },
    [PHASE_PREPARING] = { step_prepare, 1u << PHASE_APPLYING | 1u << PHASE_FOLLOWING },
    [PHASE_APPLYING] = { step_apply, 1u << PHASE_COMPLETE | 1u << PHASE_FOLLOWING },
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

/* From some wait: what runs must not be committed. */
static void on_lost_lease(void *context)
{
    struct deployment *d = context;

    watch_cancel(&d->watch, ERROR_LEADER, "the Lease was lost");
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
    watch_begin(&d.watch,
                (struct watch_limits) { .max_blocked = config->max_blocked,
                                        .max_blocked_for_ms = config->max_blocked_for_ms },
                progress);
    if (config->connections < 2)
        watch_forbid(&d.watch, "--connections 1");
    if (!lease_begin(&d.lease, config, on_lost_lease, &d, err))
        phase = PHASE_FAILED;
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
    watch_end(&d.watch);
    connection_close(d.conn);
    connection_close(d.begun);
    lease_end(&d.lease);
    arena_free(d.look);
    return phase == PHASE_COMPLETE;
}

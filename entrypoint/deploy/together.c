#include "deploy/together.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "execution/lock_retry.h"

/* Whether nobody can be in its way, nor it in anybody's. */
static bool is_calm(const struct deployment *d, size_t index)
{
    if (d->wishes == NULL)
        return d->is_unused;
    return d->wishes[index].is_known && d->wishes[index].count == 0;
}

static size_t index_of(const struct deployment *d, const struct execution *execution)
{
    return (size_t)(execution->migration - d->folder->items);
}

/* Whether it may disturb somebody, and if so, for a moment only. */
static bool is_brief(const struct deployment *d, size_t index)
{
    return d->wishes != NULL && d->wishes[index].is_known && !d->wishes[index].is_long;
}

static bool add(struct deployment *d, size_t index, struct burst *burst)
{
    const struct execution execution = deployment_begin_migration(d, index);

    return d->is_for_burst[index] && burst_add(burst, &execution);
}

/* What may be in somebody's way goes in a message alone, and only where nobody is in its own. */
static bool fill(struct deployment *d, struct burst *burst)
{
    if (!is_calm(d, d->next))
        return is_brief(d, d->next) && add(d, d->next, burst) &&
               lock_retry_is_free(&burst->items[0].execution);
    for (size_t i = d->next; i < d->folder->count; i++) {
        if (deployment_is_due(d, i) && !(is_calm(d, i) && add(d, i, burst)))
            break;
    }
    return burst->count > 0;
}

static struct burst *gather(struct deployment *d)
{
    struct burst *burst = burst_new();

    if (fill(d, burst))
        return burst;
    burst_free(burst);
    return NULL;
}

static void on_next(void *context, struct execution *execution)
{
    struct deployment *d = context;

    d->next = index_of(d, execution);
    d->execution = *execution;
    d->started_ms = clock_now_ms();
    deployment_count(d, d->history.items[d->next].verdict, VERDICT_RUNNING);
    log_context(LOG_MIGRATION, execution->migration->name);
}

static void on_applied(void *context, struct execution *execution)
{
    struct deployment *d = context;

    d->execution = *execution;
    deployment_note_applied(d);
    d->next++;
    d->due++;
    d->losses = 0;
}

/* With the connection: the first of them that is not known to be committed, and those after it. */
static void lose(struct deployment *d, const struct burst *burst, struct error *err)
{
    d->execution.commit_doubt.is_in_doubt = burst->is_in_doubt;
    d->execution.failure.names.before = d->report->applied_count;
    d->execution.failure.names.behind = burst->count - burst->done - 1;
    if (!burst->is_in_doubt)
        (void)execution_explain(&d->execution, err);
}

static void say_applied(const struct deployment *d, struct error *err)
{
    auto_text struct text holds = text_init(sizeof err->holds);

    deployment_add_applied(d, &holds);
    error_holds(err, "%s", holds.at);
}

/* Whether the run may go on. */
static bool end(struct deployment *d, struct burst *burst, const struct early_failure **early,
                struct error *err)
{
    deployment_count(d, VERDICT_RUNNING, d->history.items[d->next].verdict);
    d->progress->current = NULL;
    /* What keeps the first one from it would keep the others. */
    d->alone_until = burst->done == 0 && *early == NULL
                         ? d->folder->count
                         : index_of(d, &burst->items[burst->count - 1].execution) + 1;
    if (connection_is_lost(d->conn))
        lose(d, burst, err);
    if (burst->is_refused || connection_is_lost(d->conn))
        return false;
    if (*early != NULL) {
        d->early = **early;
        d->early.held = arena_copy(d->look, d->early.held, strlen(d->early.held));
        *early = &d->early;
    }
    return true;
}

bool together_apply(struct deployment *d, const struct early_failure **early, struct error *err)
{
    bool may_go_on = true;

    *early = NULL;
    if (d->next < d->alone_until || !d->is_for_burst[d->next])
        return true;
    d->burst = gather(d);
    if (d->burst == NULL) {
        d->alone_until = d->next + 1;
        return true;
    }
    d->burst->on_next = on_next;
    d->burst->on_applied = on_applied;
    d->burst->context = d;
    deployment_prepare_watch(d);
    if (!burst_apply(d->burst, early, err))
        may_go_on = end(d, d->burst, early, err);
    if (d->burst->is_refused)
        say_applied(d, err);
    if (!d->burst->is_in_doubt)
        burst_free(steal(&d->burst));
    if (may_go_on && origin_queue_is_due(&d->origins))
        deployment_record_origins(d);
    return may_go_on;
}

/* Our rows are known by their ids, where they have some. */
static bool is_committed(const struct deployment *d, const struct execution *execution)
{
    const struct history_item *item = &d->history.items[index_of(d, execution)];

    if (!d->ledger.dialect->keeps_attempts)
        return !item->is_due;
    return item->row != NULL && item->row->is_finished && strcmp(item->row->id, execution->id) == 0;
}

/* Where rows have no ids, another process may have led in between. */
static void settle_committed(struct deployment *d)
{
    bool is_ours = d->ledger.dialect->keeps_attempts;

    log_info("the answer to COMMIT of %s was lost: %s", d->execution.migration->name,
             is_ours ? "it was committed" : "it is applied, by this process or by another");
    if (is_ours)
        deployment_report_applied(d);
}

void together_settle(struct deployment *d)
{
    struct burst *burst = d->burst;

    for (; burst->done < burst->count; burst->done++) {
        d->execution = burst->items[burst->done].execution;
        if (!is_committed(d, &d->execution))
            break;
        settle_committed(d);
    }
    if (burst->done < burst->count)
        log_info("the connection was lost before %s was committed", d->execution.migration->name);
    d->execution.commit_doubt.is_in_doubt = false;
    burst_free(burst);
    d->burst = NULL;
}

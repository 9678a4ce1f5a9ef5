#include "deploy/drift_check.h"

#include "base/log.h"
#include "base/signals.h"
#include "deploy/drift.h"

enum { LINE_MOST = 1024, RECORDING_MS = 60000 };

static struct drift_request request_of(const struct deployment *d)
{
    return (struct drift_request) {
        .config = d->config, .conn = d->conn, .ledger = &d->ledger, .is_brief = d->config->drift != DRIFT_FAIL
    };
}

/* An inverse is written for the schema that its migration left. */
static bool is_refused(const struct deployment *d)
{
    return d->config->drift == DRIFT_FAIL || (d->back != NULL && d->config->drift != DRIFT_OFF);
}

/* A list of tenants takes no shadow. */
static const char *shadow_of(const struct config *config)
{
    if (config->is_dry_run)
        return "";
    return config->shared_folder == NULL ? " --shadow create"
                                         : " --shadow create, with the tenant's own --database-url";
}

static void warn(const struct deployment *d, const struct drift *drift)
{
    size_t count = drift->diff.count;

    log_warn("the schema is not as the deployment of %s left it: %zu difference%s", drift->recorded.at, count,
             text_plural(count));
    for (size_t i = 0; i < count && i < DRIFT_SHOWN_MOST; i++) {
        auto_text struct text line = text_init(LINE_MOST);

        drift_add_line(&drift->diff.items[i], &line);
        log_warn("  %s", line.at);
    }
    log_warn("  %sno migration of this ledger did that; to see how: tidelock drift%s",
             count > DRIFT_SHOWN_MOST ? "and more; " : "", shadow_of(d->config));
}

static bool refuse(const struct deployment *d, const struct drift *drift, struct error *err)
{
    auto_text struct text list = text_init(sizeof err->detail);
    auto_text struct text holds = text_init(sizeof err->holds);
    size_t count = drift->diff.count;

    for (size_t i = 0; i < count && i < DRIFT_SHOWN_MOST; i++) {
        text_add_string(&list, i == 0 ? "" : "; ");
        drift_add_line(&drift->diff.items[i], &list);
    }
    if (count > DRIFT_SHOWN_MOST)
        text_add_format(&list, "; and %zu more", count - DRIFT_SHOWN_MOST);
    deployment_add_applied(d, &holds);
    error_set(err, ERROR_REFUSED,
              "the schema is not as the deployment of %s left it (%zu difference%s), and %s",
              drift->recorded.at, count, text_plural(count),
              d->back == NULL ? "--drift fail forbids that" : "an inverse is written for what that left");
    error_cause(err, CAUSE_DRIFT);
    error_detail(err, "%s", list.at);
    error_holds(err, "%s", d->report->applied_count == 0 ? "Nothing was changed." : holds.at);
    if (d->back != NULL)
        return error_hint(
            err,
            "To see them: tidelock drift. Undo them; or go back in spite of them: tidelock rollback --drift off");
    return error_hint(
        err,
        "To see them: tidelock drift. Undo them; or put them into a migration (tidelock diff --script) and "
        "record that here: tidelock resolve --applied NAME. To deploy all the same and record the schema as it "
        "is then: tidelock deploy --drift warn");
}

static bool look(struct deployment *d, struct arena *arena, struct error *err)
{
    const struct drift_request wanted = request_of(d);
    struct drift drift;

    if (!drift_find(arena, &wanted, &drift, err))
        return false;
    if (drift.unknown == NULL)
        d->progress->differences = (int64_t)drift.diff.count;
    if (drift.unknown != NULL && d->config->drift == DRIFT_FAIL && d->ledger.count > 0)
        log_warn("--drift fail has nothing to compare the schema with: %s", drift.unknown);
    else if (drift.unknown != NULL)
        log_debug("drift is not known: %s", drift.unknown);
    else if (drift.diff.count > 0 && is_refused(d))
        return refuse(d, &drift, err);
    else if (drift.diff.count > 0)
        warn(d, &drift);
    return true;
}

bool drift_check(struct deployment *d, struct error *err)
{
    auto_arena struct arena *arena = NULL;

    /* Where there is no journal, nothing was recorded. */
    d->is_drift_checked |= d->ledger.beginning.has_room_for_journal;
    if (d->config->drift == DRIFT_OFF || d->is_drift_checked || d->history.due_count == 0 ||
        (d->pooling == POOLING_TRANSACTION && d->config->drift != DRIFT_FAIL))
        return true;
    arena = arena_new();
    d->is_drift_checked = look(d, arena, err);
    if (d->is_drift_checked)
        return true;
    if (d->config->drift == DRIFT_FAIL || (d->back != NULL && err->class == ERROR_REFUSED) ||
        connection_is_lost(d->conn) || err->class == ERROR_INTERRUPTED)
        return false;
    d->is_drift_checked = true;
    log_warn("it is not known whether the schema was changed since the last deployment: %s", err->message);
    return true;
}

void drift_check_record(struct deployment *d)
{
    const struct drift_request wanted = request_of(d);

    if (d->config->drift == DRIFT_OFF || d->report->applied_count == 0 || !deployment_may_record(d) ||
        signals_pending() != 0)
        return;
    connection_limit_answers(d->conn, RECORDING_MS);
    drift_record(&wanted);
    connection_limit_answers(d->conn, 0);
}

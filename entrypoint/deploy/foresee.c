#include "base/log.h"
#include "deploy/caution.h"
#include "deploy/deployment.h"
#include "deploy/drift_check.h"
#include "deploy/floor_check.h"
#include "deploy/internal.h"
#include "deploy/precaution.h"
#include "deploy/validate.h"
#include "postgres/reach.h"

/* One that has nothing to do looks no further, unless it is strict, or its tool is. */
static bool has_checks(const struct deployment *d)
{
    return !d->ledger.exists || d->history.due_count > 0 ||
           validate_strictness(d->config, d->folder->dialect) != 0;
}

static bool check(struct deployment *d, struct error *err)
{
    return rule_levels_read(d->config->rule_levels.text, d->config->rule_levels.origin, &d->levels, err) &&
           reach_find_pooling(d->config, d->endpoint, d->conn, &d->pooling, err) &&
           deployment_check(d, err) && (d->config->drift != DRIFT_FAIL || drift_check(d, err)) &&
           (d->config->refuse == FAIL_ON_NOTHING || caution_take(d, err)) && precaution_check(d, err);
}

bool deployment_foresee(const struct config *config, struct target *target, struct connection *conn,
                        struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct deployment_report report = { .folder = &target->folder };
    struct progress progress = { .phase = PROGRESS_CONNECTING };
    struct deployment d = { .arena = arena,
                            .look = arena,
                            .config = config,
                            .endpoint = &target->endpoint,
                            .folder = &target->folder,
                            .report = &report,
                            .progress = &progress,
                            .conn = conn,
                            .is_reviewed = true,
                            .is_warned = true };
    bool may_begin = deployment_read(&d, err) && floor_check(config, &d.ledger, err) &&
                     (!has_checks(&d) || check(&d, err));

    log_context(LOG_MIGRATION, NULL);
    return may_begin;
}

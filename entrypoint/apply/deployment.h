/*
 * One deployment, from connecting to done: the phases and their order.
 */
#ifndef APPLY_DEPLOYMENT_H
#define APPLY_DEPLOYMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apply/mode.h"
#include "apply/target.h"
#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "report/progress.h"

enum phase {
    PHASE_CONNECTING,
    PHASE_COMPARING, /* folder against ledger, without any lock */
    PHASE_BUDGETING, /* waiting until the application has room beside us: no connection is held meanwhile */
    PHASE_LEADING,   /* trying to get the leader lock */
    PHASE_FOLLOWING, /* another process leads: no connection is held meanwhile */
    PHASE_PREPARING, /* under the lock: the ledger exists, and is compared again */
    PHASE_APPLYING,
    PHASE_COMPLETE,
    PHASE_FAILED,
    PHASES
};

extern const char *const PHASE_NAMES[];

/* What the world outside sees of a phase that has a step. */
extern const enum progress_phase PHASES_SHOWN[];

struct applied_migration {
    const char *name;
    int64_t took_ms;
    enum mode mode;
};

/* What came of it; lives in the arena. */
struct deployment_report {
    const struct folder *folder;
    const char *database;
    const char *schema;
    struct applied_migration *applied;
    size_t applied_count;
};

/* Applies everything pending. Takes over what target->begun began. `report` is filled as far as it got, on
 * failure too; so is `progress`, all but its end. */
must_use bool deployment_run(struct arena *arena, const struct config *config, struct target *target,
                             struct progress *progress, struct deployment_report *report, struct error *err);

#endif

/*
 * The same for many databases: each tenant in a task of its own, as many at a time as the rules, and the
 * servers, allow.
 */
#ifndef FLEET_ROLLOUT_H
#define FLEET_ROLLOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "fleet/create.h"
#include "fleet/schedule.h"
#include "tenants/list.h"

/* What became of one. */
struct tenant_result {
    enum tenant_state state;
    enum error_class class; /* of what it failed with */
    const char *reason; /* … in words; of one that was interrupted, what its database holds; NULL = none */
    enum creation creation;
    int64_t took_ms;
    const char *word;   /* what the command says of it, also of what it had done before it failed; or NULL */
    size_t count;       /* what the command counts: migrations applied, or pending, differences */
    bool is_fine;       /* nobody needs to look at it */
    bool is_no;         /* alone, the command would exit with 1 */
    bool is_by_another; /* another process has done it; it was not looked at */
    char *details;      /* all that it says, as JSON, if that is asked for; memory_free() */
};

/* One tenant, while it runs. */
struct tenant_run {
    const struct tenant *tenant;
    const struct config *config; /* its own */
    struct arena *arena;         /* for what is needed until its end; `word` lives longer, in … */
    struct arena *results;
    struct tenant_result *result;
};

/* What is done with each, and said of it. */
struct rollout_work {
    bool leads; /* it may take the leader lock, which a database has once; else it changes nothing, and no
                   failure keeps it from the others */
    /* Does it, as a task. Fills `word` and `count` of the result, also on failure. */
    bool (*run)(const struct tenant_run *run, void *context, struct error *err);
    /* It has begun, or ended, or been left to another process; `err` is what it failed with, or NULL. Must
     * not wait. */
    void (*changed)(const struct tenant_run *run, void *context, const struct error *err);
    void *context;
};

struct rollout {
    const struct tenant_list *tenants;
    struct tenant_result *results; /* in the order of the list */
    const size_t *counts;          /* of each state, also while it goes on */
};

/* Goes through all of them. False: `err` tells of the worst class of failure, how many failed, and the first
 * of them; or of a signal, after which those that ran have ended cleanly. Whatever `out` points to lives in
 * the configuration's arena. */
must_use bool rollout_run(const struct config *config, const struct tenant_list *tenants,
                          const struct rollout_work *work, struct rollout *out, struct error *err);

#endif

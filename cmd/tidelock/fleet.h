/*
 * A command for each of many tenants: what is said of each, and of all.
 */
#ifndef FLEET_H
#define FLEET_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "fleet/rollout.h"
#include "report/progress.h"
#include "tenants/list.h"

/* The same in the words of one command. */
struct fleet_words {
    bool (*run)(const struct tenant_run *run, struct error *err); /* see rollout.h */
    const char *counted;                                          /* what `count` is, as a key: "applied" */
    bool is_no; /* exits with 1 where something is counted */
    bool leads; /* see rollout.h */
};

/* What "deploy" does with each, and "wait". */
extern const struct fleet_words DEPLOY_TENANTS;
extern const struct fleet_words WAIT_TENANTS;

/* Reads the list of tenants, runs the command for each, and prints what became of them. `progress` is that of
 * a run that reports to the outside, or NULL. */
bool fleet_run(const struct config *config, const struct fleet_words *words, struct progress *progress,
               int *exit_code, struct error *err);

/* The same as a run that reports to the outside. */
bool fleet_run_reported(const struct config *config, const struct fleet_words *words, struct error *err);

/* "applied 3 migrations", for a result: lives as long as it. */
void fleet_say(const struct tenant_run *run, size_t count, const char *format, ...) printf_like(3, 4);

#endif

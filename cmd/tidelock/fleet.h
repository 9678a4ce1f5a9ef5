/*
 * A command for each of many tenants: what is said of each, and of all.
 */
#ifndef FLEET_H
#define FLEET_H

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/config.h"
#include "fleet/rollout.h"
#include "report/progress.h"
#include "tenants/list.h"

/* The same in the words of one command. */
struct fleet_words {
    bool (*run)(const struct tenant_run *run, struct error *err); /* see rollout.h */
    const char *counted;                                          /* what `count` is, as a key: "applied" */
    const char *details; /* what fleet_attach() is given, as a key: "plan"; or NULL */
    const char *fine;  /* what it calls those that nobody needs to look at: "up to date"; NULL = it may change
                          them, and counts what it did */
    const char *other; /* … and the rest */
    bool is_no;        /* exits with 1 where it would for one of them alone */
    bool leads;        /* see rollout.h */
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

/* "applied 3 migrations", for a result: lives as long as it. It is fine, and no reason to exit with 1, where
 * nothing is counted … */
void fleet_say(const struct tenant_run *run, size_t count, const char *format, ...) printf_like(3, 4);

/* … unless the command knows more, and says so next. */
void fleet_judge(const struct tenant_run *run, bool is_fine, bool is_no);

/* All that the command says of one database alone, where --json asks for it: it takes over `value`. */
void fleet_attach(const struct tenant_run *run, struct json *value);

#endif

/*
 * One deployment, from connecting to done. Its phases are in deploy/internal.h.
 */
#ifndef DEPLOY_DEPLOYMENT_H
#define DEPLOY_DEPLOYMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "deploy/precaution.h"
#include "deploy/target.h"
#include "execution/mode.h"
#include "postgres/connection.h"
#include "report/progress.h"

struct applied_migration {
    const char *name;
    int64_t took_ms;
    enum mode mode;
};

/* One that would be applied. */
struct due_migration {
    const char *name;
    enum mode mode;
    size_t statements;
    bool is_resumed;    /* it was begun by another run */
    size_t unseen_from; /* the line of its inverse from which on what that loses is not known; 0 = all is */
};

/* Its result; lives in the configuration's arena. */
struct deployment_report {
    const struct folder *folder;
    const char *database;
    const char *schema;
    struct applied_migration *applied;
    size_t applied_count;
    struct due_migration *due; /* what was pending when everything was checked, in order */
    size_t due_count;
    struct precautions precautions;
};

/* Applies everything pending; a dry run only fills the report, and takes no lock. Takes over the connection
 * in target->begun. `report` is filled as far as the deployment got, also on failure; so is `progress`,
 * except for its end. */
must_use bool deployment_run(const struct config *config, struct target *target, struct progress *progress,
                             struct deployment_report *report, struct error *err);

/* The same in the other direction: undoes what --to asks for, the newest first. What it reports as applied it
 * has rolled back. */
must_use bool deployment_go_back(const struct config *config, struct target *target,
                                 struct progress *progress, struct deployment_report *report,
                                 struct error *err);

/* Whether a deployment that began now would get as far as its first migration: makes all its checks, on an
 * idle connection, and says nothing. The error is the one that it would end with. Only reads. */
must_use bool deployment_foresee(const struct config *config, struct target *target, struct connection *conn,
                                 struct error *err);

#endif

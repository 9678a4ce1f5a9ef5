/*
 * Waits until the database holds every migration of the folder, which another process applies. Only reads.
 */
#ifndef DEPLOY_WAIT_H
#define DEPLOY_WAIT_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "deploy/target.h"
#include "report/progress.h"

/* Looks, disconnects, looks again after a growing pause, for at most the leader timeout; logs what is
 * missing, and who leads. Takes over the connection in target->begun. ERROR_LEADER when the time is over. */
must_use bool wait_for_level(const struct config *config, struct target *target, struct progress *progress,
                             struct error *err);

/* Whether each URL that --replica names can be read, before anything is applied. ERROR_USAGE. */
must_use bool wait_check_replicas(const struct config *config, struct error *err);

/* Then waits likewise for each standby that --replica names: its own ledger tells, since what a standby
 * replays comes in the order in which it was committed. ERROR_LEADER when the time is over, with what keeps
 * it. True where none is named. */
must_use bool wait_for_replicas(const struct config *config, const struct target *target,
                                struct progress *progress, struct error *err);

#endif

/*
 * Drift as a deployment meets it: told, or refused, before it applies anything; and what it leaves is
 * recorded.
 */
#ifndef DEPLOY_DRIFT_CHECK_H
#define DEPLOY_DRIFT_CHECK_H

#include <stdbool.h>

#include "base/error.h"
#include "deploy/internal.h"

/* Under the leader lock, when something is pending. ERROR_REFUSED with --drift=fail if the schema is no
 * longer what the last deployment left. */
must_use bool drift_check(struct deployment *d, struct error *err);

/* Records what this deployment leaves, however it ends, if it has applied something and there is a
 * journal. */
void drift_check_record(struct deployment *d);

#endif

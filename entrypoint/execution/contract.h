/*
 * A contract: a migration that waits until no session of a release below its floor is left (the directive
 * "contract").
 *
 * A session tells its release in its application_name (base/stamp.h). One that tells none may be of any
 * release: it is named, and waited for only if the directive says "strict".
 */
#ifndef EXECUTION_CONTRACT_H
#define EXECUTION_CONTRACT_H

#include "base/error.h"
#include "execution/execution.h"

/* Waits, before the migration's transaction begins: no lock of a table is held meanwhile, no snapshot, and
 * the leader lock and the Lease are kept. True at once for a migration that is none. ERROR_REFUSED when the
 * time is over, with the sessions that are left. */
must_use bool contract_wait(struct execution *execution, struct error *err);

/* Only looks, and warns of what it would wait for. */
must_use bool contract_try(const struct execution *execution, struct error *err);

#endif

/*
 * Whether this image's release may run on the schema, as the floors of what is applied have it.
 */
#ifndef DEPLOY_FLOOR_CHECK_H
#define DEPLOY_FLOOR_CHECK_H

#include "base/error.h"
#include "config/config.h"
#include "execution/execution.h"
#include "history/ledger.h"

/* The highest floor of an applied migration; NULL = none is known. */
const struct floor *floor_highest(const struct ledger *ledger);

/* ERROR_REFUSED if --release is older than that. Where it, or a floor, is not known, it may run; what this
 * role may not see is warned of once. */
must_use bool floor_check(const struct config *config, const struct ledger *ledger, struct error *err);

/* Of a script that is about to be applied: ERROR_REFUSED if its own floor is above this image's release, and
 * ERROR_CLEAN if there is no place for it. */
must_use bool floor_check_script(const struct config *config, struct execution *execution, struct error *err);

#endif

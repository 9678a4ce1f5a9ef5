/*
 * Things other than tables, of which nobody can be using one that is not there yet: types, functions,
 * schemas, extensions.
 */
#ifndef DEPLOY_LIVE_OBJECT_H
#define DEPLOY_LIVE_OBJECT_H

#include "base/error.h"
#include "deploy/live.h"

/* Makes a finding about one that the database does not have now safe. */
must_use bool live_refine_object(struct live *live, struct finding *finding, struct error *err);

#endif

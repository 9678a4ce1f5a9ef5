/*
 * The tables that a statement reaches through foreign keys of others: those whose rows go or change with the
 * rows that it deletes, and those that are searched for each of them.
 */
#ifndef DEPLOY_LIVE_CASCADE_H
#define DEPLOY_LIVE_CASCADE_H

#include "base/error.h"
#include "deploy/live.h"

/* Completes a finding about a DELETE or a TRUNCATE … CASCADE, of a table that is there; others stay as they
 * are. It is dangerous where each row costs the scan of a large table. */
must_use bool live_follow_keys(struct live *live, struct finding *finding, struct error *err);

#endif

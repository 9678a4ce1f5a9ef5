/*
 * What the text alone could not tell, looked up: is there a proof, what is the type now, is it a domain, is
 * the function volatile.
 */
#ifndef DEPLOY_LIVE_COLUMN_H
#define DEPLOY_LIVE_COLUMN_H

#include "base/error.h"
#include "deploy/live.h"

/* Changes the level and the note of a finding about a table that exists. */
must_use bool live_refine(struct live *live, struct finding *finding, struct error *err);

/* Adds the name of a relation, in the ledger's schema where the script gives none. */
void live_add_name(const struct ledger *ledger, const struct relation *relation, struct text *out);

/* Whether a type is changed to one that only allows more, so that no row has to be read: both as
 * format_type() writes them. Pure. */
bool type_only_widens(const char *now, const char *then);

#endif

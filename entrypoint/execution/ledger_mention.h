/*
 * A script that names the ledger's table, or drops its schema, is the first suspect when the ledger has
 * changed.
 */
#ifndef EXECUTION_LEDGER_MENTION_H
#define EXECUTION_LEDGER_MENTION_H

#include "execution/execution.h"

/* Adds that, with the place, to the error of a ledger that changed during the run, and makes that statement
 * the one that failed. The class of the failure has to be known. */
void ledger_mention_tell(struct execution *execution, struct error *err);

#endif

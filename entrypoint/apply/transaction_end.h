/*
 * The end of a transaction of ours that has failed.
 */
#ifndef APPLY_TRANSACTION_END_H
#define APPLY_TRANSACTION_END_H

#include "base/text.h"
#include "execution/execution.h"

/* Rolls it back; what the script left in a session that others use after us, and was not there `before`
 * (pooler_add_look(); empty = nothing is known to be left), goes in the same message, since the next one may
 * meet another session. */
void transaction_roll_back(struct execution *execution, const struct text *before);

#endif

/*
 * What is said of those who hold the lock that a migration, or an inverse, did not get. Pure.
 */
#ifndef EXECUTION_FAILURE_BLOCKERS_H
#define EXECUTION_FAILURE_BLOCKERS_H

#include "base/text.h"
#include "execution/failure.h"
#include "traffic/blockers.h"

/* Takes what the sentence says of them. */
void failure_name_blockers(const struct blockers *blockers, struct failure_names *names);

/* Adds when to do it again, how to end them, and what allows more time; `again` is what the sentence begins
 * with. */
void failure_add_blockers(const char *again, const struct failure_names *names, struct text *out);

#endif

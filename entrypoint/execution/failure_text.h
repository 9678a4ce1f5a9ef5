/*
 * What is said of a failure: the sentences for what failure_decide() decides. Pure.
 */
#ifndef EXECUTION_FAILURE_TEXT_H
#define EXECUTION_FAILURE_TEXT_H

#include "base/error.h"
#include "execution/failure.h"

/* Writes class, holds and hint into `err` as decided; `holds` is kept if it is already set. The server's hint
 * moves to the detail, because the hint is ours. */
void failure_describe(const struct failure *failure, struct error *err);

#endif

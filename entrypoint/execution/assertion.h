/*
 * A migration's assertions: what must be true before it begins, and before it is committed.
 *
 * The contract step of an expand/contract change is safe only when the backfill is complete and nobody runs
 * the old version of the application; an assertion says so in SQL, and can wait for it.
 */
#ifndef EXECUTION_ASSERTION_H
#define EXECUTION_ASSERTION_H

#include "execution/execution.h"

/* Checks the assertions before the migration, in read-only transactions, and waits for those that may take
 * time. The session must be idle. ERROR_CLEAN with the place if one is not true or cannot be evaluated;
 * ERROR_INTERRUPTED. */
must_use bool assertion_before(struct execution *execution, struct error *err);

/* For a dry run: asks each of them once and waits for none. Where something else is to be applied first
 * (`is_next` false), what is not true now may be by then: that is a warning, as is one that may wait. Errors
 * as above. */
must_use bool assertion_try(struct execution *execution, bool is_next, struct error *err);

/* Checks the assertions after the script, on the session as it is: inside its transaction, if it has one.
 * Errors as above. */
must_use bool assertion_after(struct execution *execution, struct error *err);

/* Evaluates one, in a read-only transaction of its own. ERROR_CLEAN with the place if it cannot be
 * evaluated. */
must_use bool assertion_ask(struct execution *execution, const struct assertion *assertion, bool *is_true,
                            struct error *err);

#endif

/*
 * Assertions of a migration: what has to be true before it begins and before it is committed.
 *
 * The contract step of an expand/contract change is safe only when the backfill is complete and nobody runs
 * the former version of the application; an assertion says so in SQL, and waits for it where that is asked
 * for.
 */
#ifndef EXECUTION_ASSERTION_H
#define EXECUTION_ASSERTION_H

#include "execution/execution.h"

/* Asks for all that has to be true before, in read-only transactions, and waits for those that may take time.
 * The session must be idle. ERROR_CLEAN with the place when one is not true, or can't be asked;
 * ERROR_INTERRUPTED. */
must_use bool assertion_before(struct execution *execution, struct error *err);

/* Asks for all that has to be true behind the script, on the session as it is: inside its transaction where
 * it has one. Errors as above. */
must_use bool assertion_after(struct execution *execution, struct error *err);

/* Asks one, in a read-only transaction of its own. ERROR_CLEAN with the place when it can't be asked. */
must_use bool assertion_ask(struct execution *execution, const struct assertion *assertion, bool *is_true,
                            struct error *err);

#endif

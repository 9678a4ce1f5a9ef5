/*
 * What a statement means to the session that runs it: whether what it sets outlives its transaction. Pure.
 */
#ifndef SQL_SESSION_STATEMENT_H
#define SQL_SESSION_STATEMENT_H

#include <stdbool.h>

#include "base/text.h"

/* Whether it can be said again for its effect on the session alone: SET, RESET, or a SELECT of nothing but
 * set_config() with constants. */
bool session_statement_is_repeatable(struct slice statement, bool has_standard_strings);

/* Whether its text shows that it leaves something in the session. A function can do so without showing it. */
bool session_statement_is_lasting(struct slice statement);

/* Whether its text shows, or lets one fear, that something it does ends with the transaction: a savepoint,
 * SET LOCAL, a cursor, a lock, ON COMMIT. What follows it may rely on that. */
bool session_statement_ends_with_transaction(struct slice statement);

/* Whether it may take away what the session was set up with: RESET or DISCARD, also in the body of a DO. */
bool session_statement_is_reset(struct slice statement);

/* What its text shows, or lets one fear, in one pass: that it takes or releases advisory locks; and the same
 * as session_statement_is_reset(). */
struct session_signs {
    bool is_advisory;
    bool is_reset;
};
struct session_signs session_signs_of(struct slice text);

/* Whether `word` is in it, in any case. */
bool session_statement_mentions(struct slice statement, const char *word);

#endif

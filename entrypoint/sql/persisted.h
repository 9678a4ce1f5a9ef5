/*
 * Which of a script's first statements outlast the session that ran them. Pure.
 */
#ifndef SQL_PERSISTED_H
#define SQL_PERSISTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "sql/script.h"

/* Whether nothing of the statement is left once the session has ended: settings, temporary tables. One that
 * also runs a query counts as lasting, as that may have done anything. */
bool statement_ends_with_session(struct slice script, const struct statement *statement);

/* Adds the first lines of those of the first `done` statements that last (" line 3: CREATE TABLE …; line 5:
 * …"), or of some at both ends if they are many, and returns how many last: not BEGIN and COMMIT, nor what
 * the script itself rolls back. `reader` is at the start of `script`. */
size_t persisted_add(struct slice script, struct script_reader reader, size_t done, struct text *out);

#endif

/*
 * After a failure in a transaction: another way to run the same script, which its text did not show.
 *
 * Prisma and psql apply a script of one statement that refuses a transaction block or commits by itself, and
 * a new value of an enum that is used in the script which adds it. The server says which they are, with
 * everything rolled back.
 */
#ifndef APPLY_ANOTHER_WAY_H
#define APPLY_ANOTHER_WAY_H

#include "execution/execution.h"
#include "sql/segment.h"

/* An atomic migration has failed and was rolled back. True if it should be tried in other transactions:
 * `mode` and `rules` of the execution are set. */
bool another_way_for_script(struct execution *execution, const struct error *err);

/* The same for a part of a script in another mode; `rules` is set. */
bool another_way_for_segment(struct execution *execution, const struct segment *segment,
                             const struct error *err);

#endif

/*
 * dbmate's scripts: blocks that begin with a comment, the way there and the way back, with options behind it.
 */
#ifndef DIALECT_DBMATE_SCRIPT_H
#define DIALECT_DBMATE_SCRIPT_H

#include "dialect/dialect.h"

/* Whether a script has a block of its. */
bool dbmate_script_is_one(struct slice script);

/* What is between "-- migrate:up" and "-- migrate:down", as often as that comes, or of an inverse what
 * follows the latter; see dialect.h.
 *
 * A block that is not to run in a transaction is one message to dbmate: several statements in it are one
 * transaction all the same, and are here, too, unless one of them cannot be in any. */
must_use bool dbmate_script_read(const struct script_source *source, struct text *script,
                                 struct script_wishes *out, struct error *err);

#endif

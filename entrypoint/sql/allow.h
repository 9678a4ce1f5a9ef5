/*
 * "-- tidelock: allow RULE because REASON" before a statement: a person has seen what `plan` says of it.
 * Pure.
 */
#ifndef SQL_ALLOW_H
#define SQL_ALLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

struct allowance {
    struct slice rule;
    struct slice because;
};

/* Whether a comment is such a directive, be it right or wrong. */
bool allow_is(struct slice comment);

/* Reads what follows "allow". Without a rule, "because" or a reason: false, and *at is where the mistake is.
 */
must_use bool allow_parse(struct slice words, struct allowance *out, const char **at, struct error *err);

/* The next directive of this kind in the comments of `bytes` from *offset on, which moves behind it. Those
 * that do not parse are passed over: whoever reads the script's directives refuses them. */
bool allow_next(struct slice bytes, size_t *offset, struct allowance *out);

#endif

/*
 * Drizzle's scripts: a mark parts their statements, which to the server is a comment.
 */
#ifndef DIALECT_DRIZZLE_SCRIPT_H
#define DIALECT_DRIZZLE_SCRIPT_H

#include "dialect/dialect.h"

/* Puts a semicolon for each mark that ends a statement without one, see dialect.h. What is behind a mark on
 * its line is run, as Drizzle runs it. */
must_use bool drizzle_script_read(const struct script_source *source, struct text *script,
                                  struct script_wishes *out, struct error *err);

#endif

/*
 * goose's scripts: annotations, which are comments to the server, say what is run.
 */
#ifndef DIALECT_GOOSE_SCRIPT_H
#define DIALECT_GOOSE_SCRIPT_H

#include "dialect/dialect.h"

/* Whether a script begins with one of its annotations. */
bool goose_script_is_one(struct slice script);

/* What is between "-- +goose Up" and "-- +goose Down", or of an inverse what follows the latter; see
 * dialect.h. */
must_use bool goose_script_read(const struct script_source *source, struct text *script,
                                struct script_wishes *out, struct error *err);

#endif

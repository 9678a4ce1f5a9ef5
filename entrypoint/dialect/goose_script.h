/*
 * goose's scripts: annotations, which are comments to the server, say what is run.
 */
#ifndef DIALECT_GOOSE_SCRIPT_H
#define DIALECT_GOOSE_SCRIPT_H

#include "dialect/dialect.h"

/* Whether a script has one of its annotations. */
bool goose_script_is_one(struct slice script);

/* What is between "-- +goose Up" and "-- +goose Down", or of an inverse what follows the latter; see
 * dialect.h. Each line stays in its place; carriage returns at their ends go, as goose takes them off.
 *
 * What goose refuses is refused. But it cuts a script into statements by the ends of its lines, and the parts
 * of a function without StatementBegin fail in the server: here, statements end where they end in SQL. */
must_use bool goose_script_read(const struct script_source *source, struct text *script,
                                struct script_wishes *out, struct error *err);

#endif

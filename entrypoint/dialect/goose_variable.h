/*
 * Variables in goose's scripts, between "-- +goose ENVSUB ON" and "OFF": the shell's forms, as goose reads
 * them.
 *
 * $NAME and ${NAME}; ${NAME:-text} and ${NAME-text} for one that is empty or unset, ${NAME?text} for one that
 * must be set; ${NAME:from} and ${NAME:from:length} in bytes, from the end if they are negative. In the texts
 * there may be others. \$ and $$ are a dollar sign, $( is itself, an unset variable is empty.
 */
#ifndef DIALECT_GOOSE_VARIABLE_H
#define DIALECT_GOOSE_VARIABLE_H

#include "base/error.h"
#include "base/text.h"

/* Adds the line with the values in it. ERROR_CLEAN, without a place, where goose would refuse it. */
must_use bool goose_variables_replace(struct slice line, const char *(*variable)(const char *name),
                                      struct text *out, struct error *err);

#endif

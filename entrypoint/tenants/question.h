/*
 * Tenants that the database itself lists: by a query of the operator's, or by the names of databases or
 * schemas.
 */
#ifndef TENANTS_QUESTION_H
#define TENANTS_QUESTION_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "tenants/row.h"

/* Asks for those of --tenants-query, --databases or --schemas, whichever is given, at the configured
 * database. Nothing is changed there. The errors of a connection, ERROR_USAGE for rows that say nothing. */
must_use bool question_ask(const struct config *config, struct tenant_rows *out, struct error *err);

/* Whether a name fits a pattern in which * stands for any characters, ? for one, [...] for one of these.
 * Pure.
 */
bool question_fits(const char *pattern, const char *name);

#endif

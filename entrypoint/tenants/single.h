/*
 * Options that are about one database, and make no sense for many.
 */
#ifndef TENANTS_SINGLE_H
#define TENANTS_SINGLE_H

#include "base/error.h"
#include "config/config.h"

/* Refuses those that are given. ERROR_USAGE. */
must_use bool single_refuse(const struct config *config, struct error *err);

#endif

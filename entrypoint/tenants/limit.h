/*
 * How many tenants may fail before no other is begun. Pure.
 */
#ifndef TENANTS_LIMIT_H
#define TENANTS_LIMIT_H

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

/* *out is the number that may fail of `count`: SIZE_MAX = all. From --max-failures, "N" or "P%" (rounded
 * down), else from --on-failure. ERROR_USAGE. */
must_use bool limit_read(const struct config *config, size_t count, size_t *out, struct error *err);

#endif

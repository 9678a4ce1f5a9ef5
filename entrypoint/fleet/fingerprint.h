/*
 * What a process means when it says that a tenant is done: that these scripts were applied, by these rules.
 *
 * Two processes with the same fingerprint would do the same to the same tenant.
 */
#ifndef FLEET_FINGERPRINT_H
#define FLEET_FINGERPRINT_H

#include "base/error.h"
#include "base/hash.h"
#include "config/config.h"

/* Reads the folder, and every script. ERROR_USAGE, ERROR_REFUSED. */
must_use bool fingerprint_make(const struct config *config, char out[SHA256_HEX_SIZE], struct error *err);

#endif

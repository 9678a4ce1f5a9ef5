/*
 * sqlx.toml, the configuration beside the folder: what it says of the ledger and of checksums.
 */
#ifndef DIALECT_SQLX_CONFIG_H
#define DIALECT_SQLX_CONFIG_H

#include "dialect/dialect.h"

/* Whether what it says is so here: ERROR_USAGE where it calls the ledger otherwise, ERROR_REFUSED where it
 * leaves characters out of the checksums. */
must_use bool sqlx_config_check(const struct dialect *dialect, const char *path, struct slice text,
                                struct error *err);

#endif

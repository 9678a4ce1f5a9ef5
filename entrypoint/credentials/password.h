/*
 * Passwords from a service: asked for before a connect, since they live for minutes.
 *
 * The services are spoken to as their documentation says, without an SDK: AWS (RDS tokens, Secrets Manager),
 * Google Cloud SQL, Azure Entra, HashiCorp Vault.
 */
#ifndef CREDENTIALS_PASSWORD_H
#define CREDENTIALS_PASSWORD_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"

/* Gives the endpoint a password from the service (and a user, where that comes with it) unless the one it has
 * is from there and still good for a new connection. At most ten seconds. ERROR_UNREACHABLE when the service
 * can't be reached or says that it is busy, ERROR_USAGE when it refuses; ERROR_INTERRUPTED. */
must_use bool password_ask(const struct config *config, struct endpoint *endpoint, struct error *err);

/* The server did not take it: the next password_ask() asks again. False when it was asked for just now. */
bool password_forget(const struct config *config);

/* Gives back what was lent (a Vault lease). At the end, when nothing connects any more. */
void password_close(void);

#endif

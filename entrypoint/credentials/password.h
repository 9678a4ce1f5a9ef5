/*
 * Passwords from a service: requested before each connection, since they are valid for minutes.
 *
 * The services are called as their documentation says, without an SDK: AWS (RDS tokens, Secrets Manager),
 * Google Cloud SQL, Azure Entra, HashiCorp Vault.
 */
#ifndef CREDENTIALS_PASSWORD_H
#define CREDENTIALS_PASSWORD_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"

/* Sets the endpoint's password (and its user, if the service provides one), unless the current one came from
 * the service and is still valid for a new connection. Takes at most ten seconds. ERROR_UNREACHABLE when the
 * service cannot be reached or is busy, ERROR_USAGE when it refuses; ERROR_INTERRUPTED. */
must_use bool password_ask(const struct config *config, struct endpoint *endpoint, struct error *err);

/* The server refused it: the next password_ask() asks again. False when it was requested just now. */
bool password_forget(const struct config *config, const struct endpoint *endpoint);

/* Revokes what was issued (a Vault lease). Call it at the end, when nothing connects any more. */
void password_close(void);

#endif

/*
 * Passwords from a service: asked for before a connect, since they live for minutes.
 *
 * The services are spoken to as their documentation says, without an SDK: AWS (RDS tokens, Secrets Manager),
 * Google Cloud SQL, Azure Entra, HashiCorp Vault.
 */
#ifndef CONFIG_PROVIDER_H
#define CONFIG_PROVIDER_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "config/url.h"

enum password_source {
    PASSWORD_NOWHERE,
    PASSWORD_AWS_RDS,
    PASSWORD_AWS_SECRET,
    PASSWORD_GOOGLE,
    PASSWORD_AZURE,
    PASSWORD_VAULT,
    PASSWORD_SOURCES
};

extern const char *const PASSWORD_SOURCE_NAMES[];

/* Whether it is a token, which the server takes only over TLS. */
bool provider_gives_token(int source);

/* Whether the user may come with it. */
bool provider_may_give_user(int source);

/* Gives the endpoint a password from the service (and a user, where that comes with it) unless the one it has
 * is from there and still good for a new connection. At most ten seconds. ERROR_UNREACHABLE when the service
 * can't be reached or says that it is busy, ERROR_USAGE when it refuses; ERROR_INTERRUPTED. */
must_use bool provider_ask(const struct config *config, struct endpoint *endpoint, struct error *err);

/* The server did not take it: the next provider_ask() asks again. False when it was asked for just now. */
bool provider_forget(const struct config *config);

/* Gives back what was lent (a Vault lease). At the end, when nothing connects any more. */
void provider_close(void);

#endif

/*
 * Where a password may come from, and what follows from that. credentials/password asks for it.
 */
#ifndef CONFIG_PASSWORD_SOURCE_H
#define CONFIG_PASSWORD_SOURCE_H

#include <stdbool.h>

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
bool password_source_is_token(int source);

/* Whether the user name may come with it. */
bool password_source_may_give_user(int source);

#endif

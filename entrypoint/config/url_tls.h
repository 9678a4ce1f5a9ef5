/*
 * What a database URL says about TLS, in the words of Prisma, libpq and node-postgres. Pure.
 *
 * The connection is protected as it was asked for, or there is an error; where the three mean different
 * things by a word, the one that does not weaken it holds, or a warning says what is not verified.
 */
#ifndef CONFIG_URL_TLS_H
#define CONFIG_URL_TLS_H

#include "base/error.h"
#include "config/url.h"

/* The parameters that are judged together. */
enum url_tls_parameter {
    TLS_MODE,
    TLS_SWITCH, /* "ssl", of node-postgres and libpq */
    TLS_ACCEPT,
    TLS_CERT,
    TLS_IDENTITY,
    TLS_PASSWORD,
    TLS_ROOTCERT,
    TLS_KEY,
    TLS_PARAMETERS
};

/* Whether its value is the name of a file. */
bool url_tls_is_file(enum url_tls_parameter parameter);

/* Sets libpq's parameters from `tls`, the value of each or NULL. ERROR_USAGE (P1013). */
must_use bool url_take_tls(const char *const *tls, struct endpoint *out, struct error *err);

/* Replaces the endpoint's sslmode by one that came from elsewhere (PGSSLMODE); `origin` names it in an error,
 * which is ERROR_USAGE (P1013). */
must_use bool url_set_tls_mode(const char *mode, const char *origin, struct endpoint *out, struct error *err);

/* Who names a CA wants the server verified: where no mode was said, it becomes verify-ca, which is what
 * sslmode=require with a CA does, or for "system" verify-full (documentation, "SSL Support"). */
void url_verify_by_ca(struct endpoint *endpoint);

/* Refuses what libpq would try in vain: a channel binding without TLS. ERROR_USAGE (P1013). */
must_use bool url_check_binding(const struct endpoint *endpoint, struct error *err);

#endif

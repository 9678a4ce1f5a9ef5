/*
 * The database URL: Prisma's and libpq's in one. Pure.
 *
 * A URL that works with Prisma works here, and so does one that works with psql. Where the two read the same
 * parameter differently (sslcert), the parameters beside it tell which is meant. No error ever quotes the
 * URL: it contains a password.
 */
#ifndef CONFIG_URL_H
#define CONFIG_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

enum { ENDPOINT_PARAMETERS = 64 };

/* Where and how to connect: libpq's parameters, and what is ours. Everything lives in the arena. */
struct endpoint {
    const char *keywords[ENDPOINT_PARAMETERS];
    const char *values[ENDPOINT_PARAMETERS];
    size_t count;
    const char *schema;        /* Prisma's ?schema=, or NULL */
    const char *tenant_schema; /* the same, where a list of tenants names it: it has to be there */
    const char *search_path;   /* what other tools take from it, see url_migrate.h, or NULL */
    const char *ledger_schema;
    const char *ledger_table;
    const char *lock_table;
    bool is_sslmode_standard; /* nobody sets sslmode: it is Prisma's "prefer", or what a named CA asks for */
    bool accepts_any_certificate; /* sslaccept=accept_invalid_certs, or no-verify: no CA is looked at */
    bool is_pooler;               /* Prisma's ?pgbouncer=true */
    bool is_password_apart;       /* the password was given separately, not in the URL */
    int64_t connect_timeout_ms;   /* the URL's connect_timeout, 0 = none; -1 = not given */
    const char *label;            /* "host:port" of each, for messages; never a secret */
    const char *url;              /* secret: what it was parsed from; NULL = only PG* variables */
};

/* Parses it. ERROR_USAGE (P1013) if it is invalid. Unknown parameters are ignored, as in Prisma, but with a
 * warning; those about TLS are refused. */
must_use bool url_parse(struct arena *arena, const char *url, struct endpoint *out, struct error *err);

/* The value of a parameter that libpq will get, or NULL. */
const char *endpoint_value(const struct endpoint *endpoint, const char *keyword);

/* Adds a parameter for libpq, or replaces it. Both texts must live as long as the endpoint. */
void endpoint_set(struct endpoint *endpoint, const char *keyword, const char *value);

/* The label for the hosts and ports that are set; empty if there is none. */
const char *endpoint_label(struct arena *arena, const struct endpoint *endpoint);

/* Adds "host:port"; an empty port is the usual one. */
void endpoint_add_server(struct slice host, struct slice port, struct text *out);

/* The password inside a URL, raw and percent-decoded, for the redactor: slices of `url` and of the arena,
 * empty if there is none. */
void url_password(struct arena *arena, const char *url, struct slice *raw, struct slice *decoded);

#endif

/*
 * Whom to trust: the CA certificates that a verified connection needs.
 */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "base/error.h"
#include "base/memory.h"
#include "config/url.h"

/* Gives the endpoint its sslrootcert when its sslmode verifies and none (or "system") was said:
 * SSL_CERT_FILE, else the first bundle found at the places where distributions keep it. ERROR_USAGE (P1011)
 * that names the places when there is none. */
must_use bool trust_find(struct endpoint *endpoint, const char *ssl_cert_file, struct error *err);

#endif

/*
 * Whom to trust: the CA certificates that a verified connection needs.
 */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "base/error.h"
#include "base/memory.h"
#include "config/url.h"
#include "http/request.h"

/* Gives the endpoint its sslrootcert when its sslmode verifies and none (or "system") was said:
 * SSL_CERT_FILE, else the first bundle found at the places where distributions keep it. ERROR_USAGE (P1011)
 * that names the places when there is none. */
must_use bool trust_find(struct endpoint *endpoint, const char *ssl_cert_file, struct error *err);

/* Gives an https request that names no certificates those of SSL_CERT_FILE, else of the first bundle found
 * where distributions keep it; the text is static or the environment's. ERROR_USAGE when there are none. */
must_use bool trust_complete(struct request *request, struct error *err);

/* Keeps the openssl.cnf of the machine we happen to run on out of it: libpq asks OpenSSL to read its
 * configuration, unless that was declined before (OpenSSL manual, OPENSSL_init_crypto). Nor is OpenSSL tidied
 * up at exit, which would first create what was never used. Before any other use of OpenSSL. */
void trust_ignore_machine(void);

#endif

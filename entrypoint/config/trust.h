/*
 * The CA certificates that a verified connection needs.
 */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "base/error.h"
#include "base/memory.h"
#include "config/url.h"
#include "http/request.h"

/* Sets the endpoint's sslrootcert if its sslmode verifies and none (or "system") was given: SSL_CERT_FILE,
 * else the first bundle found where distributions keep it. ERROR_USAGE (P1011) that names the places when
 * there is none. If the endpoint accepts any certificate, no CA is looked at, not even libpq's usual ones. */
must_use bool trust_find(struct endpoint *endpoint, const char *ssl_cert_file, struct error *err);

/* Checks that the files of CA, certificate, key and revocations can be read: libpq goes on without some of
 * them, and so without verifying. A relative name that does not exist is looked for in `beside`, the folder
 * of Prisma's schema, too. ERROR_USAGE (P1011). */
must_use bool trust_check_files(struct arena *arena, const char *beside, struct endpoint *endpoint,
                                struct error *err);

/* Sets the certificates of an https request that names none: those of SSL_CERT_FILE, else of the first bundle
 * found where distributions keep it; the text is static or the environment's. ERROR_USAGE when there are
 * none. */
must_use bool trust_complete(struct request *request, struct error *err);

/* Ignores the machine's openssl.cnf: libpq makes OpenSSL read its configuration, unless that was declined
 * before (OpenSSL manual, OPENSSL_init_crypto). Also skips OpenSSL's cleanup at exit, which would first
 * initialize what was never used. Call it before any other use of OpenSSL. */
void trust_ignore_machine(void);

#endif

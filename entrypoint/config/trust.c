#include "config/trust.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

/* Debian, Alpine and distroless; Fedora and its relatives; SUSE; OpenSSL's own default. */
static const char *const BUNDLES[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static bool verifies(const char *mode)
{
    return mode != NULL && (strcmp(mode, "verify-full") == 0 || strcmp(mode, "verify-ca") == 0);
}

static const char *find_bundle(const char *ssl_cert_file)
{
    if (ssl_cert_file != NULL && ssl_cert_file[0] != '\0')
        return ssl_cert_file;
    for (size_t i = 0; i < array_length(BUNDLES); i++) {
        if (file_exists(BUNDLES[i]))
            return BUNDLES[i];
    }
    return NULL;
}

static void explain_absence(const char *how, struct error *err)
{
    auto_text struct text places = text_init(1024);

    for (size_t i = 0; i < array_length(BUNDLES); i++)
        text_add_format(&places, "%s%s", i == 0 ? "" : ", ", BUNDLES[i]);
    error_set(err, ERROR_USAGE, "could not verify the server's certificate: no CA certificates were found");
    error_detail(err, "Looked for %s.", places.at);
    error_hint(err, "%s", how);
}

bool trust_complete(struct request *request, struct error *err)
{
    if (request->ca_file != NULL || strncmp(request->url, "https://", 8) != 0)
        return true;
    request->ca_file = find_bundle(getenv("SSL_CERT_FILE"));
    if (request->ca_file == NULL)
        explain_absence("Set SSL_CERT_FILE to the CA's file.", err);
    return request->ca_file != NULL;
}

bool trust_find(struct endpoint *endpoint, const char *ssl_cert_file, struct error *err)
{
    const char *said = endpoint_value(endpoint, "sslrootcert");
    const char *found;

    if (!verifies(endpoint_value(endpoint, "sslmode")) || (said != NULL && strcmp(said, "system") != 0))
        return true;
    found = find_bundle(ssl_cert_file);
    if (found != NULL) {
        endpoint_set(endpoint, "sslrootcert", found);
        return true;
    }
    explain_absence("Name the CA's file with sslrootcert=FILE in the URL, or with SSL_CERT_FILE.", err);
    return error_code(err, "P1011");
}

void trust_ignore_machine(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

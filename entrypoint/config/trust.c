#include "config/trust.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

/* Debian, Alpine and distroless; Fedora and its relatives; SUSE; OpenSSL's own default. */
static const char *const BUNDLES[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

/* libpq verifies by a CA file that it finds, whatever the mode (documentation, "SSL Support"), and looks for
 * one at home and in PGSSLROOTCERT; below a device there is none. */
static const char NO_FILE[] = "/dev/null/";

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

static bool check_bundle(const char *path, struct error *err)
{
    return file_check_kind(path, err) || error_context(err, "reading the CA certificates");
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
    if (strncmp(request->url, "https://", 8) != 0)
        return true;
    if (request->ca_file == NULL)
        request->ca_file = find_bundle(getenv("SSL_CERT_FILE"));
    if (request->ca_file != NULL)
        return check_bundle(request->ca_file, err);
    explain_absence("Set SSL_CERT_FILE to the CA's file.", err);
    return false;
}

bool trust_find(struct endpoint *endpoint, const char *ssl_cert_file, struct error *err)
{
    const char *said = endpoint_value(endpoint, "sslrootcert");
    const char *found;

    if (endpoint->accepts_any_certificate) {
        endpoint_set(endpoint, "sslrootcert", NO_FILE);
        return true;
    }
    if (!verifies(endpoint_value(endpoint, "sslmode")) || (said != NULL && strcmp(said, "system") != 0))
        return true;
    found = find_bundle(ssl_cert_file);
    if (found != NULL) {
        endpoint_set(endpoint, "sslrootcert", found);
        return check_bundle(found, err);
    }
    explain_absence("Name the CA's file with sslrootcert=FILE in the URL, or with SSL_CERT_FILE.", err);
    return error_code(err, "P1011");
}

static const struct named_file {
    const char *keyword;
    const char *what;
} FILES[] = {
    { "sslrootcert", "CA file" },
    { "sslcert", "client's certificate" },
    { "sslkey", "client's private key" },
    { "sslcrl", "revocation list" },
    { "sslcrldir", "folder of revocation lists" },
};

static bool refuse_file(const char *what, const char *path, const char *beside, struct error *err)
{
    error_set(err, ERROR_USAGE, "could not read the %s \"%s\": %s", what, path, strerror(errno));
    error_code(err, "P1011");
    if (path[0] == '/')
        return error_hint(err, "Mount the file there, or correct its name in the database URL.");
    error_detail(err, "Looked in the working directory and in \"%s\", beside the schema.", beside);
    return error_hint(err, "Write the whole path, /DIRECTORY/FILE, in the database URL.");
}

/* No pipe: libpq would wait for a writer. */
static bool is_readable(const char *path)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return false;
    if (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))
        return access(path, R_OK) == 0;
    errno = EINVAL;
    return false;
}

static bool check_file(struct arena *arena, const struct named_file *file, const char *beside,
                       struct endpoint *endpoint, struct error *err)
{
    const char *keyword = file->keyword;
    const char *path = endpoint_value(endpoint, keyword);
    auto_text struct text other = text_init(PATH_MAX);

    if (path == NULL || path[0] == '\0' || strcmp(path, "system") == 0 || is_readable(path))
        return true;
    if (errno != ENOENT || path[0] == '/')
        return refuse_file(file->what, path, beside, err);
    text_add_format(&other, "%s/%s", beside, path);
    if (other.has_overflowed || !is_readable(other.at))
        return refuse_file(file->what, path, beside, err);
    endpoint_set(endpoint, keyword, arena_copy(arena, other.at, other.length));
    return true;
}

bool trust_check_files(struct arena *arena, const char *beside, struct endpoint *endpoint, struct error *err)
{
    for (size_t i = 0; i < array_length(FILES); i++) {
        if (!check_file(arena, &FILES[i], beside, endpoint, err))
            return false;
    }
    return true;
}

void trust_ignore_machine(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

#include "config/url_tls.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/names.h"
#include "config/url_parts.h"

static const char NO_VERIFY[] = "no-verify";

/* libpq's, and node-postgres' no-verify: TLS without a look at the certificate. */
static const char *const MODES[] = { "disable",   "allow",       "prefer", "require",
                                     "verify-ca", "verify-full", NO_VERIFY };

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    return names_find(words, count, slice_of(word)) >= 0;
}

static bool is_weaker_than_require(const char *mode)
{
    static const char *const weak[] = { "disable", "allow", "prefer" };

    return is_one_of(mode, weak, array_length(weak));
}

static bool refuse_mode(const char *origin, const char *mode, struct error *err)
{
    static const struct {
        const char *said;
        const char *meant;
    } others[] = { { "enable", "require" },  { "enabled", "require" },  { "true", "require" },
                   { "1", "require" },       { "required", "require" }, { "on", "require" },
                   { "false", "disable" },   { "0", "disable" },        { "off", "disable" },
                   { "disabled", "disable" } };
    const char *nearest = names_nearest(MODES, array_length(MODES), mode);

    for (size_t i = 0; i < array_length(others); i++) {
        if (slice_equals_ignoring_case(slice_of(mode), others[i].said))
            nearest = others[i].meant;
    }
    for (size_t i = 0; i < array_length(MODES); i++) {
        if (slice_equals_ignoring_case(slice_of(mode), MODES[i]))
            nearest = MODES[i];
    }
    error_set(err, ERROR_USAGE, "%s has a value that is no TLS mode", origin);
    error_code(err, "P1013");
    return error_hint(
        err, "Use one of: disable, allow, prefer, require, verify-ca, verify-full, no-verify.%s%s%s",
        nearest == NULL ? "" : " Did you mean ", nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

/* A mode of MODES. */
static void set_mode(const char *mode, struct endpoint *out)
{
    if (strcmp(mode, NO_VERIFY) != 0) {
        endpoint_set(out, "sslmode", mode);
        return;
    }
    log_warn(
        "the server's certificate is not verified (no-verify): anybody in between can read and change "
        "what is sent; sslmode=verify-full verifies it");
    endpoint_set(out, "sslmode", "require");
    out->accepts_any_certificate = true;
}

static void warn_of_fallback(const char *mode)
{
    if (is_weaker_than_require(mode) && strcmp(mode, "disable") != 0)
        log_warn(
            "a CA is given, but sslmode=%s falls back to a connection without TLS when verification "
            "fails; sslmode=verify-full does not",
            mode);
}

bool url_tls_is_file(enum url_tls_parameter parameter)
{
    return parameter == TLS_CERT || parameter == TLS_IDENTITY || parameter == TLS_ROOTCERT ||
           parameter == TLS_KEY;
}

bool url_set_tls_mode(const char *mode, const char *origin, struct endpoint *out, struct error *err)
{
    if (!is_one_of(mode, MODES, array_length(MODES)))
        return refuse_mode(origin, mode, err);
    set_mode(mode, out);
    out->is_sslmode_standard = false;
    if (endpoint_value(out, "sslrootcert") != NULL)
        warn_of_fallback(mode);
    return true;
}

void url_verify_by_ca(struct endpoint *endpoint)
{
    const char *root = endpoint_value(endpoint, "sslrootcert");
    bool is_said = endpoint_value(endpoint, "sslmode") != NULL && !endpoint->is_sslmode_standard;

    if (root == NULL || is_said || endpoint->accepts_any_certificate)
        return;
    endpoint_set(endpoint, "sslmode", strcmp(root, "system") == 0 ? "verify-full" : "verify-ca");
    endpoint->is_sslmode_standard = true;
}

/* node-postgres' ssl=true, which libpq reads as sslmode=require (documentation, "Connection URIs"). */
static bool read_switch(const char *said, const char **mode, struct error *err)
{
    static const char *const on[] = { "true", "1" };
    static const char *const off[] = { "false", "0" };
    const char *meant = NULL;

    if (said == NULL)
        return true;
    if (is_one_of(said, on, array_length(on)))
        meant = "require";
    else if (is_one_of(said, off, array_length(off)))
        meant = "disable";
    else if (strcmp(said, NO_VERIFY) == 0)
        meant = NO_VERIFY;
    else
        return url_refuse(err, "the parameter \"ssl\" has an unknown value",
                          "Write ssl=true, ssl=false or ssl=no-verify, or use sslmode.");
    if (*mode == NULL)
        *mode = meant;
    else if ((strcmp(meant, "disable") == 0) != (strcmp(*mode, "disable") == 0) ||
             (strcmp(meant, "disable") != 0 && is_weaker_than_require(*mode)))
        return url_refuse(err, "its parameters \"ssl\" and \"sslmode\" contradict each other",
                          "Keep sslmode alone.");
    return true;
}

/* Prisma's sslcert is the CA, libpq's is the client's own certificate, which comes with a key. */
static bool is_prisma_tls(const char *const *tls)
{
    return tls[TLS_ACCEPT] != NULL || tls[TLS_IDENTITY] != NULL || tls[TLS_KEY] == NULL;
}

/* libpq 16 and later understand "system", for verified connections only; earlier ones look for a file of that
 * name, and do not verify when there is none. */
static bool take_system(const char *root, const char **mode, struct error *err)
{
    if (root == NULL || strcmp(root, "system") != 0)
        return true;
    if (*mode == NULL)
        *mode = "verify-full";
    return strcmp(*mode, "verify-full") == 0 ||
           url_refuse(err, "sslrootcert=system needs sslmode=verify-full", "Write sslmode=verify-full.");
}

static bool check_contradiction(const char *const *tls, const char *mode, const char *root, struct error *err)
{
    bool is_strict = tls[TLS_ACCEPT] != NULL && strcmp(tls[TLS_ACCEPT], "accept_invalid_certs") != 0;
    bool verifies = mode != NULL && strncmp(mode, "verify-", 7) == 0;

    if (is_strict && mode != NULL && strcmp(mode, NO_VERIFY) == 0)
        return url_refuse(
            err, "no-verify and sslaccept=strict contradict each other",
            "Write sslmode=verify-full to verify the server's certificate, or remove sslaccept.");
    if (tls[TLS_ACCEPT] != NULL && !is_strict && verifies)
        return url_refuse(err, "sslmode=verify-… and sslaccept=accept_invalid_certs contradict each other",
                          "Remove sslaccept to verify the server's certificate, or write sslmode=require.");
    if (tls[TLS_ACCEPT] == NULL && root != NULL && mode != NULL)
        warn_of_fallback(mode);
    return true;
}

/* sslaccept=strict verifies whenever TLS is used; without TLS there is nothing to verify. */
static const char *choose_mode(const char *accept, const char *mode, struct endpoint *out)
{
    bool is_strict = accept != NULL && strcmp(accept, "accept_invalid_certs") != 0;

    out->is_sslmode_standard = mode == NULL && !is_strict;
    out->accepts_any_certificate = accept != NULL && !is_strict;
    mode = mode == NULL ? "prefer" : mode;
    if (is_strict && strcmp(mode, "disable") != 0 && strcmp(mode, "verify-ca") != 0)
        return "verify-full";
    return mode;
}

static bool refuse_identity(struct error *err)
{
    return url_refuse(err, "sslidentity (a PKCS#12 file) is not supported",
                      "Convert it once: openssl pkcs12 -in FILE -nodes -out client.pem. Then set "
                      "sslcert=client.pem&sslkey=client.pem, and sslrootcert for the CA.");
}

bool url_take_tls(const char *const *tls, struct endpoint *out, struct error *err)
{
    const char *mode = tls[TLS_MODE];
    const char *root = tls[TLS_ROOTCERT];
    const char *certificate = tls[TLS_CERT];

    if (tls[TLS_IDENTITY] != NULL)
        return refuse_identity(err);
    if (mode != NULL && !is_one_of(mode, MODES, array_length(MODES)))
        return refuse_mode("the parameter \"sslmode\" of the database URL", mode, err);
    if (certificate != NULL && is_prisma_tls(tls)) {
        log_debug("sslcert without sslkey is used as the CA, as in Prisma");
        root = root == NULL ? certificate : root;
        certificate = NULL;
    }
    if (!read_switch(tls[TLS_SWITCH], &mode, err) || !take_system(root, &mode, err) ||
        !check_contradiction(tls, mode, root, err))
        return false;
    set_mode(choose_mode(tls[TLS_ACCEPT], mode, out), out);
    if (root != NULL)
        endpoint_set(out, "sslrootcert", root);
    if (certificate != NULL)
        endpoint_set(out, "sslcert", certificate);
    if (tls[TLS_KEY] != NULL)
        endpoint_set(out, "sslkey", tls[TLS_KEY]);
    if (tls[TLS_PASSWORD] != NULL)
        endpoint_set(out, "sslpassword", tls[TLS_PASSWORD]);
    url_verify_by_ca(out);
    return true;
}

bool url_check_binding(const struct endpoint *endpoint, struct error *err)
{
    const char *binding = endpoint_value(endpoint, "channel_binding");
    const char *mode = endpoint_value(endpoint, "sslmode");

    if (binding == NULL || strcmp(binding, "require") != 0 || mode == NULL || strcmp(mode, "disable") != 0)
        return true;
    return url_refuse(err, "channel_binding=require needs TLS, and sslmode=disable forbids it",
                      "Write sslmode=require, or channel_binding=prefer.");
}

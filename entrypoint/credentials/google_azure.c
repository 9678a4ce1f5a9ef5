#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "config/secret.h"
#include "credentials/service.h"

enum { URL_MOST = 8192 };

/* {"access_token": "…", "expires_in": 3599}; Azure's own machines give the time as text. */
static bool read_token(const struct occasion *occasion, const struct answer *answer, const char *whom,
                       struct credentials *out, struct error *err)
{
    auto_json struct json *json = service_json(answer, whom, err);
    const char *token;
    const char *lasts;
    int64_t seconds;

    if (json == NULL)
        return false;
    token = json_get_text(json, "access_token");
    lasts = json_get_text(json, "expires_in");
    seconds = lasts == NULL ? json_get_number(json, "expires_in", -1) : strtoll(lasts, NULL, 10);
    if (token == NULL)
        return service_lacks(whom, "access_token", err);
    out->password = service_keep_secret(occasion->config, token);
    out->lasts_ms = seconds > 0 && seconds < 7 * 24 * 60 * 60 ? seconds * 1000 : -1;
    return true;
}

/* Google Cloud documentation, "About VM metadata" and "Log in using IAM database authentication". */
bool google_token(const struct occasion *occasion, struct credentials *out, struct error *err)
{
    static const char *const headers[] = { "Metadata-Flavor: Google", NULL };
    static const char whom[] = "Google's metadata server";
    const char *host = env_value("GCE_METADATA_HOST");
    auto_text struct text url = text_init(URL_MOST);
    auto_answer struct answer answer = { .status = 0 };

    text_add_format(&url, "http://%s/computeMetadata/v1/instance/service-accounts/default/token",
                    host == NULL ? "metadata.google.internal" : host);
    return service_call(
               occasion, whom,
               (struct request) { .method = "GET", .url = url.at, .headers = headers, .is_direct = true },
               &answer, err) &&
           read_token(occasion, &answer, whom, out, err);
}

/* Azure documentation, "Microsoft Entra authentication with PostgreSQL": the resource that tokens are for. */
#define AZURE_RESOURCE "https://ossrdbms-aad.database.windows.net"

/* A pod with workload identity: exchanges its own token for one for the database (Microsoft identity
 * platform, "client credentials flow", with a federated credential). */
static bool azure_federated(const struct occasion *occasion, const char *token_file, struct credentials *out,
                            struct error *err)
{
    static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
    static const char whom[] = "Microsoft Entra";
    const char *authority = env_value("AZURE_AUTHORITY_HOST");
    const char *tenant = env_value("AZURE_TENANT_ID");
    const char *client = env_value("AZURE_CLIENT_ID");
    auto_text struct text token = text_init(SECRET_BYTES_MOST);
    auto_text struct text url = text_init(URL_MOST);
    auto_text struct text body = text_init(2 * SECRET_BYTES_MOST);
    auto_answer struct answer answer = { .status = 0 };
    bool has_slash;

    body.is_secret = true;
    if (tenant == NULL || client == NULL) {
        error_set(err, ERROR_USAGE,
                  "AZURE_FEDERATED_TOKEN_FILE is set, but AZURE_TENANT_ID or AZURE_CLIENT_ID "
                  "is not");
        return error_hint(err,
                          "Label the pod azure.workload.identity/use=true and annotate its service account.");
    }
    if (!secret_read("AZURE_FEDERATED_TOKEN_FILE", token_file, &token, err))
        return false;
    redact_register(token.at, token.length);
    if (authority == NULL)
        authority = "https://login.microsoftonline.com/";
    has_slash = authority[strlen(authority) - 1] == '/';
    text_add_format(&url, "%s%s", authority, has_slash ? "" : "/");
    http_add_escaped(slice_of(tenant), &url);
    text_add_string(&url, "/oauth2/v2.0/token");
    text_add_string(&body, "grant_type=client_credentials&client_id=");
    http_add_escaped(slice_of(client), &body);
    text_add_string(&body, "&scope=");
    http_add_escaped(slice_of(AZURE_RESOURCE "/.default"), &body);
    text_add_string(&body, "&client_assertion_type=");
    http_add_escaped(slice_of("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), &body);
    text_add_string(&body, "&client_assertion=");
    http_add_escaped(text_slice(&token), &body);
    return service_call(occasion, whom,
                        (struct request) {
                            .method = "POST", .url = url.at, .headers = headers, .body = text_slice(&body) },
                        &answer, err) &&
           read_token(occasion, &answer, whom, out, err);
}

/* A machine with a managed identity ("Azure Instance Metadata Service"). */
static bool azure_machine(const struct occasion *occasion, struct credentials *out, struct error *err)
{
    static const char *const headers[] = { "Metadata: true", NULL };
    static const char whom[] = "Azure's metadata service";
    const char *authority = env_value("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    const char *client = env_value("AZURE_CLIENT_ID");
    auto_text struct text url = text_init(URL_MOST);
    auto_answer struct answer answer = { .status = 0 };

    text_add_format(&url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01&resource=",
                    authority == NULL ? "http://169.254.169.254" : authority);
    http_add_escaped(slice_of(AZURE_RESOURCE), &url);
    if (client != NULL) {
        text_add_string(&url, "&client_id=");
        http_add_escaped(slice_of(client), &url);
    }
    return service_call(
               occasion, whom,
               (struct request) { .method = "GET", .url = url.at, .headers = headers, .is_direct = true },
               &answer, err) &&
           read_token(occasion, &answer, whom, out, err);
}

bool azure_token(const struct occasion *occasion, struct credentials *out, struct error *err)
{
    const char *token_file = env_value("AZURE_FEDERATED_TOKEN_FILE");

    return token_file == NULL ? azure_machine(occasion, out, err)
                              : azure_federated(occasion, token_file, out, err);
}

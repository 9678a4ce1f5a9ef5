#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/parting.h"
#include "config/secret.h"
#include "credentials/kubernetes.h"
#include "credentials/service.h"

enum { URL_MOST = 8192, GIVING_BACK_MS = 2000 };

static const char VAULT[] = "Vault";

static struct {
    const char *token; /* NULL before the first secret */
    bool is_own_token; /* we logged in for it */
} login;

/* What is revoked at the end: a token of our own with everything that it was used for, which every policy
 * allows, or one lease. All of them, since a connection may still use an earlier one when the next is lent.
 */
struct lent {
    const char *token;
    const char *lease; /* NULL = the token itself */
};

static struct {
    struct lent *items;
    size_t count;
    size_t capacity;
} lent;

static void remember(const char *lease)
{
    lent.items = memory_grow(lent.items, lent.count, &lent.capacity, sizeof *lent.items);
    lent.items[lent.count++] = (struct lent) { .token = login.token, .lease = lease };
}

struct vault_call {
    const char *method;
    const char *path;
    const char *token; /* or NULL */
    struct slice body;
};

/* One request; Vault's standby servers forward it to the active one. */
static struct request compose(const struct vault_call *what, struct text *url, struct text *header,
                              const char **headers)
{
    const char *address = env_value("VAULT_ADDR");
    const char *namespace = env_value("VAULT_NAMESPACE");
    size_t length = strlen(address);
    size_t count = 0;

    while (length > 0 && address[length - 1] == '/')
        length--;
    text_add_format(url, "%.*s/v1/%s", (int)length, address, what->path);
    headers[count++] = "X-Vault-Request: true";
    if (what->token != NULL) {
        text_add_format(header, "X-Vault-Token: %s", what->token);
        headers[count++] = header->at;
    }
    if (namespace != NULL) {
        static char spelled[512];

        (void)snprintf(spelled, sizeof spelled, "X-Vault-Namespace: %s", namespace);
        headers[count++] = spelled;
    }
    headers[count] = NULL;
    return (struct request) { .method = what->method,
                              .url = url->at,
                              .body = what->body,
                              .headers = headers,
                              .redirects = 2,
                              .ca_file = env_value("VAULT_CACERT") };
}

static struct json *call(const struct occasion *occasion, struct vault_call what, struct error *err)
{
    auto_text struct text url = text_init(URL_MOST);
    auto_text struct text header = text_init(SECRET_BYTES_MOST);
    auto_answer struct answer answer = { .status = 0 };
    const char *headers[4];
    struct request request;

    header.is_secret = true;
    request = compose(&what, &url, &header, headers);
    return service_call(occasion, VAULT, request, &answer, err) ? service_json(&answer, VAULT, err) : NULL;
}

/* With the pod's own token ("Kubernetes auth method"). */
static const char *log_in(const struct occasion *occasion, struct error *err)
{
    const struct config *config = occasion->config;
    auto_text struct text path = text_init(URL_MOST);
    auto_text struct text token = text_init(SECRET_BYTES_MOST);
    auto_text struct text body = text_init(2 * SECRET_BYTES_MOST);
    auto_json struct json *json = NULL;
    struct json *asked;
    const char *given;

    body.is_secret = true;
    text_add_format(&path, "auth/%s/login", config->vault_auth);
    if (!kubernetes_read_token(config, &token, err))
        return NULL;
    asked = json_new_object();
    json_set_text(asked, "role", config->vault_role);
    json_set_text(asked, "jwt", token.at);
    json_write(asked, false, &body);
    json = call(occasion, (struct vault_call) { "POST", path.at, NULL, text_slice(&body) }, err);
    if (json == NULL)
        return NULL;
    given = json_get_text(json_get_object(json, "auth"), "client_token");
    if (given == NULL) {
        service_lacks(VAULT, "client_token", err);
        return NULL;
    }
    return service_keep_secret(config, given);
}

/* A variable made from a file may end with a line end. */
static const char *keep_trimmed(const struct config *config, const char *token)
{
    struct slice word = slice_trim(slice_of(token));

    return service_keep_secret(config, arena_copy(config->arena, word.at, word.length));
}

static bool find_token(const struct occasion *occasion, struct error *err)
{
    const char *said = env_value("VAULT_TOKEN");

    login.is_own_token = occasion->config->vault_role != NULL;
    if (login.is_own_token)
        login.token = log_in(occasion, err);
    else if (said != NULL)
        login.token = keep_trimmed(occasion->config, said);
    else
        error_set(err, ERROR_USAGE, "no way to log in to Vault is set");
    if (login.token != NULL && login.is_own_token)
        remember(NULL);
    if (login.token == NULL && !login.is_own_token)
        return error_hint(
            err, "Set --vault-role ROLE to the role of its Kubernetes authentication, or set VAULT_TOKEN.");
    return login.token != NULL;
}

/* A database engine returns user and password; the key-value engines return what was stored, version 2 one
 * level deeper. */
static bool read_secret(const struct occasion *occasion, const struct json *json, struct credentials *out,
                        struct error *err)
{
    const struct json *data = json_get_object(json, "data");
    const struct json *inner = json_get_object(data, "data");
    const char *lease = json_get_text(json, "lease_id");
    int64_t lasts = json_get_number(json, "lease_duration", 0);
    bool is_lent = lease != NULL && lease[0] != '\0';
    const char *user;
    const char *password;

    if (is_lent && !login.is_own_token)
        remember(arena_copy(occasion->config->arena, lease, strlen(lease)));
    if (inner != NULL)
        data = inner;
    user = json_get_text(data, "username");
    password = json_get_text(data, "password");
    if (password == NULL)
        return service_lacks(VAULT, "\"password\" at that path", err);
    if (user != NULL)
        out->user = arena_copy(occasion->config->arena, user, strlen(user));
    out->password = service_keep_secret(occasion->config, password);
    if (!is_lent)
        return true;
    out->lasts_ms = lasts > 0 && lasts < 365 * 24 * 60 * 60 ? lasts * 1000 : -1;
    return true;
}

bool vault_secret(const struct occasion *occasion, struct credentials *out, struct error *err)
{
    auto_json struct json *json = NULL;
    bool was_used;

    if (env_value("VAULT_ADDR") == NULL) {
        error_set(err, ERROR_USAGE, "no Vault address is set");
        return error_hint(err, "Set VAULT_ADDR=https://HOST:8200.");
    }
    if (occasion->config->secret_name == NULL) {
        error_set(err, ERROR_USAGE, "no Vault secret is set");
        return error_hint(err, "Set --secret-name PATH, such as database/creds/ROLE or MOUNT/data/PATH.");
    }
    was_used = login.token != NULL;
    if (!was_used && !find_token(occasion, err))
        return false;
    json = call(occasion,
                (struct vault_call) { "GET", occasion->config->secret_name, login.token, slice_of("") }, err);
    /* Our own token expires, too. */
    if (json == NULL && was_used && login.is_own_token && err->class == ERROR_LOGIN &&
        find_token(occasion, err))
        json = call(occasion,
                    (struct vault_call) { "GET", occasion->config->secret_name, login.token, slice_of("") },
                    err);
    return json != NULL && read_secret(occasion, json, out, err);
}

static bool give_back(const struct occasion *occasion, const struct lent *what, struct error *err)
{
    auto_text struct text url = text_init(URL_MOST);
    auto_text struct text header = text_init(SECRET_BYTES_MOST);
    auto_text struct text body = text_init(URL_MOST);
    auto_answer struct answer answer = { .status = 0 };
    struct json *revoked = json_new_object();
    const char *headers[4];
    struct request request;

    header.is_secret = true;
    json_set_text(revoked, "lease_id", what->lease);
    json_write(revoked, false, &body);
    request = compose(
        &(const struct vault_call) { what->lease == NULL ? "POST" : "PUT",
                                     what->lease == NULL ? "auth/token/revoke-self" : "sys/leases/revoke",
                                     what->token, slice_of("") },
        &url, &header, headers);
    request.is_parting = true;
    request.body = text_slice(&body);
    return service_call(occasion, VAULT, request, &answer, err);
}

/* The latest first: the earlier ones end sooner by themselves. */
void vault_close(void)
{
    int64_t left = parting_left_ms();
    int64_t began = clock_now_ms();
    struct occasion occasion = { .until = deadline_in(left < GIVING_BACK_MS ? left : GIVING_BACK_MS) };
    size_t kept = 0;
    struct error first;

    while (lent.count > 0) {
        struct error err;

        if (!give_back(&occasion, &lent.items[--lent.count], &err) && kept++ == 0)
            first = err;
        if (deadline_passed(occasion.until)) {
            kept += lent.count;
            lent.count = 0;
        }
    }
    parting_spend(clock_now_ms() - began);
    if (kept == 1)
        log_warn("could not revoke the Vault lease, which will expire by itself: %s", first.message);
    else if (kept > 1)
        log_warn("could not revoke %zu Vault leases, which will expire by themselves: %s", kept,
                 first.message);
    memory_free(lent.items);
    lent.items = NULL;
    lent.capacity = 0;
    login.token = NULL;
}

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "config/secret.h"
#include "credentials/service.h"
#include "credentials/sigv4.h"

enum { URL_MOST = 8192, TOKEN_MOST = 32 * 1024, LASTS_SECONDS = 900 };

/* Keys that requests are signed with; texts live in the configuration's arena. */
struct keys {
    const char *id;
    const char *secret;
    const char *session_token; /* or NULL */
};

/* The region: set explicitly, or part of the server's name, NAME.ID.REGION.rds.amazonaws.com. */
static const char *find_region(const struct occasion *occasion)
{
    const char *said = env_value("AWS_REGION");
    const char *host = endpoint_value(occasion->endpoint, "host");
    const char *end = host == NULL ? NULL : strstr(host, ".rds.amazonaws.com");
    const char *start = end == NULL ? NULL : memrchr(host, '.', (size_t)(end - host));

    if (said == NULL)
        said = env_value("AWS_DEFAULT_REGION");
    if (said != NULL || start == NULL)
        return said;
    return arena_copy(occasion->config->arena, start + 1, (size_t)(end - start - 1));
}

static bool lacks_region(struct error *err)
{
    error_set(err, ERROR_USAGE, "no AWS region is set");
    return error_hint(err, "Set AWS_REGION.");
}

static const char *keep(const struct occasion *occasion, const char *text)
{
    return text == NULL ? NULL : service_keep_secret(occasion->config, text);
}

/* The content of <name>…</name>, which holds neither elements nor entities. */
static const char *element(const struct occasion *occasion, const struct answer *answer, const char *name)
{
    char start[64];
    char end[64];
    const char *at;
    const char *until;

    (void)snprintf(start, sizeof start, "<%s>", name);
    (void)snprintf(end, sizeof end, "</%s>", name);
    at = strstr(answer->body.at, start);
    until = at == NULL ? NULL : strstr(at, end);
    if (until == NULL)
        return NULL;
    at += strlen(start);
    return keep(occasion, arena_copy(occasion->config->arena, at, (size_t)(until - at)));
}

/* IRSA: exchanges the pod's token for keys of the role (STS, AssumeRoleWithWebIdentity, which is not
 * signed). */
static bool assume_role(const struct occasion *occasion, const char *token_file, struct keys *out,
                        struct error *err)
{
    static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
    static const char whom[] = "AWS STS";
    const char *role = env_value("AWS_ROLE_ARN");
    const char *session = env_value("AWS_ROLE_SESSION_NAME");
    const char *address = env_value("AWS_ENDPOINT_URL_STS");
    const char *region = find_region(occasion);
    auto_text struct text token = text_init(SECRET_BYTES_MOST);
    auto_text struct text url = text_init(URL_MOST);
    auto_text struct text body = text_init(2 * SECRET_BYTES_MOST);
    auto_answer struct answer answer = { .status = 0 };

    body.is_secret = true;
    if (role == NULL) {
        error_set(err, ERROR_USAGE, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
        return error_hint(err, "Annotate the pod's service account with the role's ARN.");
    }
    if (region == NULL && address == NULL)
        return lacks_region(err);
    if (!secret_read("AWS_WEB_IDENTITY_TOKEN_FILE", token_file, &token, err))
        return false;
    redact_register(token.at, token.length);
    if (address != NULL)
        text_add_string(&url, address);
    else
        text_add_format(&url, "https://sts.%s.amazonaws.com/", region);
    text_add_string(&body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=");
    http_add_escaped(slice_of(role), &body);
    text_add_string(&body, "&RoleSessionName=");
    http_add_escaped(slice_of(session == NULL ? "tidelock" : session), &body);
    text_add_string(&body, "&WebIdentityToken=");
    http_add_escaped(text_slice(&token), &body);
    if (!service_call(occasion, whom,
                      (struct request) {
                          .method = "POST", .url = url.at, .headers = headers, .body = text_slice(&body) },
                      &answer, err))
        return false;
    out->id = element(occasion, &answer, "AccessKeyId");
    out->secret = element(occasion, &answer, "SecretAccessKey");
    out->session_token = element(occasion, &answer, "SessionToken");
    return (out->id != NULL && out->secret != NULL) || service_lacks(whom, "keys", err);
}

/* Where such an address may point without TLS: the agents of EKS and ECS, or this machine (AWS SDKs'
 * reference, "Container credential provider"). */
static bool is_trusted_agent(const char *url)
{
    static const char *const hosts[] = { "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
                                         "127.0.0.1",     "localhost",      "[::1]" };

    if (strncmp(url, "https://", 8) == 0)
        return true;
    if (strncmp(url, "http://", 7) != 0)
        return false;
    /* What comes before an @ is not a host. */
    if (memchr(url, '@', strcspn(url + 7, "/?#") + 7) != NULL)
        return false;
    for (size_t i = 0; i < array_length(hosts); i++) {
        const char *end = url + 7 + strlen(hosts[i]);

        if (strncmp(url + 7, hosts[i], strlen(hosts[i])) == 0 && (*end == '/' || *end == ':' || *end == '\0'))
            return true;
    }
    return false;
}

/* EKS Pod Identity, and ECS. */
static bool ask_agent(const struct occasion *occasion, const char *url, struct keys *out, struct error *err)
{
    static const char whom[] = "the AWS container credential agent";
    const char *token_file = env_value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = env_value("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    auto_text struct text read = text_init(SECRET_BYTES_MOST);
    auto_text struct text header = text_init(2 * SECRET_BYTES_MOST);
    const char *headers[2] = { NULL, NULL };
    auto_answer struct answer answer = { .status = 0 };
    auto_json struct json *json = NULL;

    header.is_secret = true;
    if (!is_trusted_agent(url)) {
        error_set(err, ERROR_USAGE, "AWS_CONTAINER_CREDENTIALS_FULL_URI names another host without TLS");
        return error_hint(err, "EKS Pod Identity sets it; unset it to use other credentials.");
    }
    if (token_file != NULL) {
        if (!secret_read("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token_file, &read, err))
            return false;
        token = read.at;
    }
    if (token != NULL) {
        redact_register(token, strlen(token));
        text_add_format(&header, "Authorization: %s", token);
        headers[0] = header.at;
    }
    if (!service_call(occasion, whom,
                      (struct request) { .method = "GET", .url = url, .headers = headers, .is_direct = true },
                      &answer, err) ||
        (json = service_json(&answer, whom, err)) == NULL)
        return false;
    out->id = keep(occasion, json_get_text(json, "AccessKeyId"));
    out->secret = keep(occasion, json_get_text(json, "SecretAccessKey"));
    out->session_token = keep(occasion, json_get_text(json, "Token"));
    return (out->id != NULL && out->secret != NULL) || service_lacks(whom, "keys", err);
}

/* In the order of AWS's own SDKs. */
static bool find_keys(const struct occasion *occasion, struct keys *out, struct error *err)
{
    const char *token_file = env_value("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *full = env_value("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *relative = env_value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    auto_text struct text url = text_init(URL_MOST);

    *out = (struct keys) { .id = env_value("AWS_ACCESS_KEY_ID"),
                           .secret = keep(occasion, env_value("AWS_SECRET_ACCESS_KEY")),
                           .session_token = keep(occasion, env_value("AWS_SESSION_TOKEN")) };
    if (out->id != NULL && out->secret != NULL)
        return true;
    if (token_file != NULL)
        return assume_role(occasion, token_file, out, err);
    if (full == NULL && relative != NULL) {
        text_add_format(&url, "http://169.254.170.2%s", relative);
        full = url.at;
    }
    if (full != NULL)
        return ask_agent(occasion, full, out, err);
    error_set(err, ERROR_USAGE, "no AWS credentials were found");
    return error_hint(err,
                      "Give the pod's service account a role (EKS Pod Identity or IRSA), or set "
                      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
}

/* RDS documentation, "Connecting to your DB instance using IAM authentication": a signed URL without its
 * scheme is the password. */
bool aws_rds_token(const struct occasion *occasion, struct credentials *out, struct error *err)
{
    const char *host = endpoint_value(occasion->endpoint, "host");
    const char *port = endpoint_value(occasion->endpoint, "port");
    const char *user = endpoint_value(occasion->endpoint, "user");
    auto_text struct text address = text_init(URL_MOST);
    auto_text struct text query = text_init(URL_MOST);
    auto_text struct text token = text_init(TOKEN_MOST);
    struct keys keys;
    struct sigv4 sign = { .path = "/",
                          .region = find_region(occasion),
                          .service = "rds-db",
                          .payload_hash = SIGV4_EMPTY_PAYLOAD,
                          .lasts_seconds = LASTS_SECONDS,
                          .at = (int64_t)clock_wall_seconds() };

    token.is_secret = true;
    if (host == NULL || user == NULL) {
        error_set(err, ERROR_USAGE, "an RDS token needs one host and one user");
        return error_hint(err, "Set DATABASE_URL=postgresql://USER@HOST:5432/DATABASE.");
    }
    if (strchr(host, ',') != NULL) {
        error_set(err, ERROR_USAGE, "an RDS token needs one host, but the URL names several");
        return error_hint(err, "Use the cluster's writer endpoint.");
    }
    if (sign.region == NULL)
        return lacks_region(err);
    if (!find_keys(occasion, &keys, err))
        return false;
    text_add_format(&address, "%s:%s", host, port == NULL ? "5432" : port);
    text_add_string(&query, "Action=connect&DBUser=");
    http_add_escaped(slice_of(user), &query);
    sign.host = address.at;
    sign.query = query.at;
    sign.key_id = keys.id;
    sign.secret = keys.secret;
    sign.session_token = keys.session_token;
    sigv4_presign(&sign, &token);
    out->password = service_keep_secret(occasion->config, token.at);
    return true;
}

/* A secret of RDS is JSON with user and password; any other is the password itself. */
static bool read_secret(const struct occasion *occasion, const char *text, struct credentials *out,
                        struct error *err)
{
    auto_json struct json *json = text[0] == '{' ? json_read(slice_of(text)) : NULL;
    const char *user = json_get_text(json, "username");
    const char *password = json == NULL ? text : json_get_text(json, "password");

    if (password == NULL)
        return service_lacks("the secret in AWS Secrets Manager", "\"password\"", err);
    out->user = user == NULL ? NULL : arena_copy(occasion->config->arena, user, strlen(user));
    out->password = service_keep_secret(occasion->config, password);
    return true;
}

bool aws_secret(const struct occasion *occasion, struct credentials *out, struct error *err)
{
    static const char whom[] = "AWS Secrets Manager";
    const char *region = find_region(occasion);
    const char *address = env_value("AWS_ENDPOINT_URL_SECRETS_MANAGER");
    auto_text struct text url = text_init(URL_MOST);
    auto_text struct text scope = text_init(URL_MOST);
    auto_text struct text key = text_init(URL_MOST);
    auto_text struct text header = text_init(TOKEN_MOST);
    auto_text struct text body = text_init(URL_MOST);
    const char *headers[] = { "Content-Type: application/x-amz-json-1.1",
                              "X-Amz-Target: secretsmanager.GetSecretValue", NULL, NULL };
    auto_answer struct answer answer = { .status = 0 };
    auto_json struct json *json = NULL;
    struct json *asked;
    const char *text;
    struct keys keys;

    key.is_secret = header.is_secret = true;
    if (occasion->config->secret_name == NULL) {
        error_set(err, ERROR_USAGE, "no secret name for AWS Secrets Manager is set");
        return error_hint(err, "Set --secret-name NAME (TIDELOCK_SECRET_NAME).");
    }
    if (region == NULL)
        return lacks_region(err);
    if (!find_keys(occasion, &keys, err))
        return false;
    asked = json_new_object();
    json_set_text(asked, "SecretId", occasion->config->secret_name);
    json_write(asked, false, &body);
    if (address != NULL)
        text_add_string(&url, address);
    else
        text_add_format(&url, "https://secretsmanager.%s.amazonaws.com/", region);
    text_add_format(&scope, "aws:amz:%s:secretsmanager", region);
    text_add_format(&key, "%s:%s", keys.id, keys.secret);
    if (keys.session_token != NULL) {
        text_add_format(&header, "X-Amz-Security-Token: %s", keys.session_token);
        headers[2] = header.at;
    }
    if (!service_call(occasion, whom,
                      (struct request) { .method = "POST",
                                         .url = url.at,
                                         .headers = headers,
                                         .body = text_slice(&body),
                                         .aws_scope = scope.at,
                                         .aws_key = key.at },
                      &answer, err) ||
        (json = service_json(&answer, whom, err)) == NULL)
        return false;
    text = json_get_text(json, "SecretString");
    return text == NULL ? service_lacks(whom, "SecretString", err) : read_secret(occasion, text, out, err);
}

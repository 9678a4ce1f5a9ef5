#include "credentials/kubernetes.h"

#include <string.h>

#include "base/env.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/secret.h"

enum { TOKEN_LASTS_MS = 60 * 1000, NAME_MOST = 256 };

static const char *in_folder(const struct config *config, const char *name)
{
    auto_text struct text path = text_init(4096);

    text_add_format(&path, "%s/%s", config->service_account, name);
    return arena_copy(config->arena, path.at, path.length);
}

static bool find_namespace(const struct config *config, const char **out, struct error *err)
{
    const char *said = env_value("POD_NAMESPACE");
    const char *path = in_folder(config, "namespace");
    auto_text struct text read = text_init(NAME_MOST);

    *out = said;
    if (said != NULL)
        return true;
    if (!secret_read("the pod's namespace", path, &read, err))
        return error_hint(err, "Set POD_NAMESPACE, or mount the service account's token.");
    *out = arena_copy(config->arena, read.at, read.length);
    return true;
}

bool kubernetes_find(const struct config *config, struct kubernetes *out, struct error *err)
{
    const char *host = env_value("KUBERNETES_SERVICE_HOST");
    const char *port = env_value("KUBERNETES_SERVICE_PORT");
    auto_text struct text origin = text_init(1024);

    *out = (struct kubernetes) { .config = config, .ca_file = in_folder(config, "ca.crt") };
    if (host == NULL) {
        error_set(err, ERROR_USAGE, "not running in Kubernetes: KUBERNETES_SERVICE_HOST is not set");
        return error_hint(err, "Use --lease and --events only in a pod.");
    }
    text_add_format(&origin, strchr(host, ':') == NULL ? "https://%s:%s" : "https://[%s]:%s", host,
                    port == NULL ? "443" : port);
    out->origin = arena_copy(config->arena, origin.at, origin.length);
    return find_namespace(config, &out->namespace, err) && kubernetes_authorization(out, err) != NULL;
}

void kubernetes_add_url(const struct kubernetes *kubernetes, const char *api, const char *kind,
                        struct text *out)
{
    text_add_format(out, "%s/%s/namespaces/", kubernetes->origin, api);
    http_add_escaped(slice_of(kubernetes->namespace), out);
    text_add_format(out, "/%s", kind);
}

bool kubernetes_read_token(const struct config *config, struct text *out, struct error *err)
{
    if (!secret_read("the pod's token", in_folder(config, "token"), out, err))
        return false;
    redact_register(out->at, out->length);
    return true;
}

const char *kubernetes_authorization(struct kubernetes *kubernetes, struct error *err)
{
    auto_text struct text token = text_init(SECRET_BYTES_MOST);
    auto_text struct text header = text_init(SECRET_BYTES_MOST + 64);

    if (kubernetes->authorization != NULL && !deadline_passed(kubernetes->token_until))
        return kubernetes->authorization;
    header.is_secret = true;
    if (!kubernetes_read_token(kubernetes->config, &token, err)) {
        error_hint(
            err, "Mount the service account's token (automountServiceAccountToken, or a projected volume).");
        return NULL;
    }
    text_add_format(&header, "Authorization: Bearer %s", token.at);
    kubernetes->token_until = deadline_in(TOKEN_LASTS_MS);
    if (kubernetes->authorization != NULL && strcmp(kubernetes->authorization, header.at) == 0)
        return kubernetes->authorization;
    kubernetes->authorization = arena_copy(kubernetes->config->arena, header.at, header.length);
    return kubernetes->authorization;
}

void kubernetes_forget_token(struct kubernetes *kubernetes)
{
    kubernetes->token_until = deadline_in(0);
}

void kubernetes_reason(const struct answer *answer, char out[REASON_SIZE])
{
    auto_json struct json *status = answer->status == 0 ? NULL : json_read(text_slice(&answer->body));
    const char *message = json_get_text(status, "message");
    auto_text struct text said = text_init(4 * REASON_SIZE);

    if (answer->status == 0)
        text_add_shown(&said, answer->why, 0);
    else if (message == NULL)
        text_add_format(&said, "the API server answered %ld", answer->status);
    else
        text_add_shown(&said, message, 0);
    redact_text(&said); /* before it is cut: half a secret would not be recognised */
    text_copy_cut(out, REASON_SIZE, said.at);
}

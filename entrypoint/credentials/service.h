/*
 * The services that provide passwords: what each takes and returns. Internal to this room.
 */
#ifndef CREDENTIALS_SERVICE_H
#define CREDENTIALS_SERVICE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/url.h"
#include "http/request.h"

enum { SERVICE_BODY_MOST = 64 * 1024 };

/* The input of a service. */
struct occasion {
    const struct config *config;
    const struct endpoint *endpoint;
    struct deadline until;
};

/* Its output; texts live in the arena of the occasion's configuration and are registered with the redactor.
 */
struct credentials {
    const char *user; /* NULL = the URL's */
    const char *password;
    int64_t lasts_ms; /* for new connections; negative = unknown */
};

typedef bool service(const struct occasion *occasion, struct credentials *out, struct error *err);

service aws_rds_token;
service aws_secret;
service google_token;
service azure_token;
service vault_secret;
void vault_close(void);

/* Sends it and requires success: ERROR_UNREACHABLE when there is no answer, or 429 or 5xx; ERROR_LOGIN for
 * anything else but 2xx, with the beginning of the answer. `whom` is for messages. The timeout is what the
 * occasion has left, at most five seconds. */
must_use bool service_call(const struct occasion *occasion, const char *whom, struct request request,
                           struct answer *out, struct error *err);

/* The answer as a JSON object; ERROR_UNREACHABLE when it is not one. */
must_use struct json *service_json(const struct answer *answer, const char *whom, struct error *err);

/* A copy that lives with the configuration, and is blanked from now on wherever it appears. */
const char *service_keep_secret(const struct config *config, const char *text);

/* ERROR_USAGE: something is missing from an answer. Returns false. */
bool service_lacks(const char *whom, const char *what, struct error *err);

#endif

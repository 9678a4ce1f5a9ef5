#include "config/provider.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "config/secret.h"
#include "config/service.h"
#include "config/trust.h"

enum { BUDGET_MS = 10 * 1000, CALL_MOST_MS = 5000, SAID_MOST = 256, FRESH_MS = 10 * 1000 };

const char *const PASSWORD_SOURCE_NAMES[] = {
    [PASSWORD_NOWHERE] = "nowhere", [PASSWORD_AWS_RDS] = "aws-rds", [PASSWORD_AWS_SECRET] = "aws-secret",
    [PASSWORD_GOOGLE] = "google",   [PASSWORD_AZURE] = "azure",     [PASSWORD_VAULT] = "vault",
};
_Static_assert(sizeof PASSWORD_SOURCE_NAMES / sizeof *PASSWORD_SOURCE_NAMES == PASSWORD_SOURCES,
               "name every source");

static const struct {
    service *ask;
    bool is_token;
    int64_t lasts_ms; /* where the service does not say */
} SERVICES[] = {
    /* RDS documentation, "IAM database authentication": 15 minutes. */
    [PASSWORD_AWS_RDS] = { aws_rds_token, true, 15 * 60 * 1000 },
    [PASSWORD_AWS_SECRET] = { aws_secret, false, 60 * 1000 },
    [PASSWORD_GOOGLE] = { google_token, true, 5 * 60 * 1000 },
    [PASSWORD_AZURE] = { azure_token, true, 5 * 60 * 1000 },
    [PASSWORD_VAULT] = { vault_secret, false, 60 * 1000 },
};
_Static_assert(sizeof SERVICES / sizeof *SERVICES == PASSWORD_SOURCES, "a service for every source");

/* What was given last; the texts live as long as the configuration. */
static struct {
    bool is_known;
    bool was_given_before;       /* to an earlier connect, too */
    struct deadline asked_until; /* so long it counts as just asked for */
    struct deadline good_until;  /* half of its life: a connect takes its time, and clocks differ */
    struct deadline ends;
    const char *user; /* NULL = the URL's */
    const char *password;
} latest;

bool provider_gives_token(int source)
{
    return SERVICES[source].is_token;
}

bool provider_may_give_user(int source)
{
    return source != PASSWORD_NOWHERE && !SERVICES[source].is_token;
}

/* An endpoint may be another one than last time, or have been read again from its file. */
static void give(struct endpoint *endpoint)
{
    if (latest.user != NULL)
        endpoint_set(endpoint, "user", latest.user);
    endpoint_set(endpoint, "password", latest.password);
}

bool provider_ask(const struct config *config, struct endpoint *endpoint, struct error *err)
{
    const char *name = PASSWORD_SOURCE_NAMES[config->password_from];
    struct occasion occasion = { .config = config, .endpoint = endpoint, .until = deadline_in(BUDGET_MS) };
    struct credentials given = { .lasts_ms = -1 };

    if (config->password_from == PASSWORD_NOWHERE)
        return true;
    if (latest.is_known && !deadline_passed(latest.good_until)) {
        latest.was_given_before = true;
        give(endpoint);
        return true;
    }
    if (!SERVICES[config->password_from].ask(&occasion, &given, err)) {
        if (err->class == ERROR_UNREACHABLE && latest.is_known && !deadline_passed(latest.ends)) {
            log_info("going on with the password from before: %s", err->message);
            give(endpoint);
            return true;
        }
        return error_context(err, "asking for the password (--password-from %s)", name);
    }
    if (given.password[0] == '\0')
        return service_lacks(name, "password", err);
    if (given.lasts_ms < 0)
        given.lasts_ms = SERVICES[config->password_from].lasts_ms;
    latest.is_known = true;
    latest.was_given_before = false;
    latest.user = given.user;
    latest.password = given.password;
    latest.asked_until = deadline_in(FRESH_MS);
    latest.good_until = deadline_in(given.lasts_ms / 2);
    latest.ends = deadline_in(given.lasts_ms);
    give(endpoint);
    log_debug("%s gave a password", name);
    return true;
}

bool provider_forget(const struct config *config)
{
    bool was_old = latest.is_known && (latest.was_given_before || deadline_passed(latest.asked_until));

    latest.is_known = false;
    return config->password_from != PASSWORD_NOWHERE && was_old;
}

void provider_close(void)
{
    vault_close();
}

bool service_call(const struct occasion *occasion, const char *whom, struct request request,
                  struct answer *out, struct error *err)
{
    auto_text struct text said = text_init(8 * SAID_MOST);
    int64_t left = deadline_left_ms(occasion->until);

    request.timeout_ms = left < CALL_MOST_MS ? left : CALL_MOST_MS;
    request.answer_most = SERVICE_BODY_MOST;
    if (!trust_complete(&request, err))
        return error_context(err, "asking %s", whom);
    if (request.ca_file != NULL && !file_exists(request.ca_file)) {
        error_set(err, ERROR_USAGE, "the file of CA certificates \"%s\" does not exist", request.ca_file);
        return error_context(err, "asking %s", whom);
    }
    if (!http_call(&request, out, err))
        return error_context(err, "asking %s", whom);
    if (answer_is_good(out))
        return true;
    answer_add_said(out, SAID_MOST, &said);
    error_set(err, answer_is_passing(out) ? ERROR_UNREACHABLE : ERROR_USAGE, "%s answered %ld: %s", whom,
              out->status, said.at);
    return false;
}

struct json *service_json(const struct answer *answer, const char *whom, struct error *err)
{
    struct json *found = json_read(text_slice(&answer->body));

    if (found == NULL)
        error_set(err, ERROR_UNREACHABLE, "what %s answered is no JSON", whom);
    return found;
}

const char *service_keep_secret(const struct config *config, const char *text)
{
    redact_register(text, strlen(text));
    return arena_copy(config->arena, text, strlen(text));
}

bool service_lacks(const char *whom, const char *what, struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s gave no %s", whom, what);
}

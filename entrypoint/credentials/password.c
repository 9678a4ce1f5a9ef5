#include "credentials/password.h"

#include "base/log.h"
#include "config/password_source.h"
#include "credentials/service.h"

enum { BUDGET_MS = 10 * 1000, FRESH_MS = 10 * 1000 };

static const struct {
    service *ask;
    int64_t lasts_ms; /* if the service does not say */
} SERVICES[] = {
    /* RDS documentation, "IAM database authentication": 15 minutes. */
    [PASSWORD_AWS_RDS] = { aws_rds_token, 15 * 60 * 1000 }, [PASSWORD_AWS_SECRET] = { aws_secret, 60 * 1000 },
    [PASSWORD_GOOGLE] = { google_token, 5 * 60 * 1000 },    [PASSWORD_AZURE] = { azure_token, 5 * 60 * 1000 },
    [PASSWORD_VAULT] = { vault_secret, 60 * 1000 },
};
_Static_assert(sizeof SERVICES / sizeof *SERVICES == PASSWORD_SOURCES, "a service for every source");

/* The latest credentials; the texts live as long as the configuration. */
static struct {
    bool is_known;
    bool was_given_before;       /* for an earlier connection, too */
    struct deadline asked_until; /* until then it counts as just requested */
    struct deadline good_until;  /* half of its lifetime: connecting takes time, and clocks differ */
    struct deadline ends;
    const char *user; /* NULL = the URL's */
    const char *password;
} latest;

/* The endpoint may not be the one of last time, or may have been reread from its file. */
static void give(struct endpoint *endpoint)
{
    if (latest.user != NULL)
        endpoint_set(endpoint, "user", latest.user);
    endpoint_set(endpoint, "password", latest.password);
}

bool password_ask(const struct config *config, struct endpoint *endpoint, struct error *err)
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
            log_info("continuing with the previous password: %s", err->message);
            give(endpoint);
            return true;
        }
        return error_context(err, "getting the password (--password-from %s)", name);
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
    log_debug("got a password from %s", name);
    return true;
}

bool password_forget(const struct config *config)
{
    bool was_old = latest.is_known && (latest.was_given_before || deadline_passed(latest.asked_until));

    latest.is_known = false;
    return config->password_from != PASSWORD_NOWHERE && was_old;
}

void password_close(void)
{
    vault_close();
}

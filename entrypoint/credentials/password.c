#include "credentials/password.h"

#include <string.h>

#include "base/log.h"
#include "config/password_source.h"
#include "credentials/service.h"

enum { BUDGET_MS = 10 * 1000, FRESH_MS = 10 * 1000, PLACE_MOST = 4096 };

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

/* The latest credentials for a server; a token of RDS is for one user, others bring theirs. */
struct given {
    const char *place;
    bool is_known;
    bool was_given_before;       /* for an earlier connection, too */
    struct deadline asked_until; /* until then it counts as just requested */
    struct deadline good_until;  /* half of its lifetime: connecting takes time, and clocks differ */
    struct deadline ends;
    const char *user; /* NULL = the URL's */
    const char *password;
    struct given *next;
};

/* Tenants come and go; what was given lives until password_close(), since a service may want it back. */
static struct {
    struct arena *arena;
    struct given *first;
} all;

static struct given *find(const struct config *config, const struct endpoint *endpoint)
{
    const char *user = config->password_from == PASSWORD_AWS_RDS ? endpoint_value(endpoint, "user") : NULL;
    auto_text struct text place = text_init(PLACE_MOST);
    struct given *given = all.first;

    text_add_format(&place, "%s %s", endpoint->label, user == NULL ? "" : user);
    while (given != NULL && strcmp(given->place, place.at) != 0)
        given = given->next;
    if (given != NULL)
        return given;
    if (all.arena == NULL)
        all.arena = arena_new();
    given = arena_alloc(all.arena, 1, sizeof *given);
    given->place = arena_copy(all.arena, place.at, place.length);
    given->next = all.first;
    all.first = given;
    return given;
}

/* The endpoint may not be the one of last time, or may have been reread from its file. */
static void give(const struct given *given, struct endpoint *endpoint)
{
    if (given->user != NULL)
        endpoint_set(endpoint, "user", given->user);
    endpoint_set(endpoint, "password", given->password);
}

static bool ask(const struct config *config, const struct endpoint *endpoint, struct credentials *out,
                struct error *err)
{
    struct config keeping = *config;
    const struct occasion occasion = { .config = &keeping,
                                       .endpoint = endpoint,
                                       .until = deadline_in(BUDGET_MS) };

    keeping.arena = all.arena;
    *out = (struct credentials) { .lasts_ms = -1 };
    return SERVICES[config->password_from].ask(&occasion, out, err);
}

bool password_ask(const struct config *config, struct endpoint *endpoint, struct error *err)
{
    const char *name = PASSWORD_SOURCE_NAMES[config->password_from];
    struct credentials now;
    struct given *given;

    if (config->password_from == PASSWORD_NOWHERE)
        return true;
    given = find(config, endpoint);
    if (given->is_known && !deadline_passed(given->good_until)) {
        given->was_given_before = true;
        give(given, endpoint);
        return true;
    }
    if (!ask(config, endpoint, &now, err)) {
        if (err->class == ERROR_UNREACHABLE && given->is_known && !deadline_passed(given->ends)) {
            log_info("continuing with the previous password: %s", err->message);
            give(given, endpoint);
            return true;
        }
        return error_context(err, "getting the password (--password-from %s)", name);
    }
    if (now.password[0] == '\0')
        return service_lacks(name, "password", err);
    if (now.lasts_ms < 0)
        now.lasts_ms = SERVICES[config->password_from].lasts_ms;
    given->is_known = true;
    given->was_given_before = false;
    given->user = now.user;
    given->password = now.password;
    given->asked_until = deadline_in(FRESH_MS);
    given->good_until = deadline_in(now.lasts_ms / 2);
    given->ends = deadline_in(now.lasts_ms);
    give(given, endpoint);
    log_debug("got a password from %s", name);
    return true;
}

bool password_forget(const struct config *config, const struct endpoint *endpoint)
{
    struct given *given;
    bool was_old;

    if (config->password_from == PASSWORD_NOWHERE)
        return false;
    given = find(config, endpoint);
    was_old = given->is_known && (given->was_given_before || deadline_passed(given->asked_until));
    given->is_known = false;
    return was_old;
}

void password_close(void)
{
    vault_close();
    arena_free(all.arena);
    all.arena = NULL;
    all.first = NULL;
}

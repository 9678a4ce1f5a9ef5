#include "postgres/reach.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/patience.h"
#include "config/password_source.h"
#include "credentials/password.h"
#include "credentials/rotation.h"
#include "postgres/handover.h"
#include "postgres/query.h"

enum { ASK_PAUSE_MOST_MS = 5000 };

static int64_t try_timeout_ms(const struct config *config, const struct endpoint *endpoint)
{
    return endpoint->connect_timeout_ms >= 0 ? endpoint->connect_timeout_ms : config->connect_timeout_ms;
}

struct connection *reach_begin(const struct config *config, const struct endpoint *endpoint)
{
    struct connection *conn = handover_take(config->handover, endpoint);

    return conn != NULL ? conn : connection_begin(endpoint, try_timeout_ms(config, endpoint));
}

/* Poolers refuse a password with a code of their own. */
static bool is_refusal(const struct error *err)
{
    return err->class == ERROR_USAGE || err->class == ERROR_LOGIN || err->class == ERROR_REFUSED;
}

/* Waits until the service that provides it can be reached. */
static bool ask_password(const struct config *config, struct endpoint *endpoint, struct deadline until,
                         struct error *err)
{
    struct patience patience = { .until = until };

    while (!password_ask(config, endpoint, err)) {
        int64_t pause = backoff_pause_ms(patience.pauses, ASK_PAUSE_MOST_MS);

        if (err->class != ERROR_UNREACHABLE || deadline_left_ms(until) <= pause)
            return false;
        if (patience_has_word(&patience, err->message))
            log_wait("waiting for the password from %s: %s", PASSWORD_SOURCE_NAMES[config->password_from],
                     err->message);
        if (!patience_pause(&patience, pause, err))
            return false;
    }
    return true;
}

/* 22023 and 42501 before the session is established: the role does not exist, or the user is not a member of
 * it. */
static void explain_role(const struct config *config, struct error *err)
{
    if (config->set_role != NULL &&
        (strcmp(err->sqlstate, "22023") == 0 || strcmp(err->sqlstate, "42501") == 0))
        error_hint(err, "The role must exist, and the user must be a member of it: GRANT \"%s\" TO the user.",
                   config->set_role);
}

/* Some poolers accept startup options and ignore them. */
static bool check_role(const struct config *config, struct connection *conn, struct error *err)
{
    static const struct query query = { .name = "role", .sql = "SELECT pg_catalog.current_setting('role')" };
    auto_result struct result *result = NULL;

    if (config->set_role == NULL)
        return true;
    if (!query_run(conn, &query, NULL, &result, err))
        return false;
    if (result_rows(result) == 1 && strcmp(result_text(result, 0, 0), config->set_role) == 0)
        return true;
    error_set(err, ERROR_USAGE, "the session does not work as role \"%s\"", config->set_role);
    return error_hint(
        err, "A pooler in between may drop startup options: set DIRECT_URL to the database's own address.");
}

struct connection *reach_database(const struct config *config, struct endpoint *endpoint,
                                  struct connection *begun, struct error *err)
{
    struct connect_deadlines deadlines = { .reach = deadline_in(config->connect_deadline_ms),
                                           .room = deadline_in(config->budget_wait_ms) };

    if (begun == NULL)
        (void)endpoint_reread(config, endpoint);
    for (;;) {
        auto_connection struct connection *conn = NULL;

        if (!ask_password(config, endpoint, deadlines.reach, err)) {
            connection_close(begun);
            return NULL;
        }
        conn = connection_reach(begun == NULL ? reach_begin(config, endpoint) : begun, deadlines, err);
        if (conn != NULL)
            return check_role(config, conn, err) ? steal(&conn) : NULL;
        explain_role(config, err);
        if (!is_refusal(err) || (!endpoint_reread(config, endpoint) && !password_forget(config, endpoint)))
            return NULL;
        begun = NULL;
    }
}

bool reach_find_pooling(const struct config *config, const struct endpoint *endpoint, struct connection *conn,
                        enum pooling *out, struct error *err)
{
    bool is_between = true;

    if (!endpoint->is_pooler && !pooler_is_between(conn, &is_between, err))
        return false;
    if (is_between && !endpoint->is_pooler && config->connections >= 2)
        return pooler_detect(conn, endpoint, try_timeout_ms(config, endpoint), out, err);
    *out = is_between ? POOLING_TRANSACTION : POOLING_NONE;
    return true;
}

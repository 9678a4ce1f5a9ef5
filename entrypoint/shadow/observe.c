#include "shadow/observe.h"

#include <string.h>

#include "postgres/aside.h"
#include "postgres/query.h"

/* The texts that tell of work are of this level. */
static const struct query SPEAK = {
    .name = "shadow_speak",
    .sql = "SELECT pg_catalog.set_config('client_min_messages', 'debug1', true)",
};

/* On a server of its own, a shadow may. */
static bool check_reach(struct observe *observe, struct connection *conn, struct error *err)
{
    if (!observe->is_on_live_server)
        return true;
    if (!look_for_shared(conn, &observe->has_reached, err))
        return false;
    return !observe->has_reached ||
           error_set(err, ERROR_CLEAN, "it changes what all databases of the live server share");
}

/* These texts are never translated. What a table keeps aside belongs to it. */
static bool tells_of_work(const char *message)
{
    static const char *const beginnings[] = { "rewriting table", "verifying table", "building index",
                                              "validating foreign key constraint" };

    for (size_t i = 0; i < array_length(beginnings); i++) {
        if (strncmp(message, beginnings[i], strlen(beginnings[i])) == 0)
            return strstr(message, "\"pg_toast_") == NULL;
    }
    return false;
}

static void listen(void *context, const char *message)
{
    struct observe *observe = context;

    if (observe->is_listening && observe->said_count < array_length(observe->said) && tells_of_work(message))
        observe->said[observe->said_count++] = arena_copy(observe->arena, message, strlen(message));
}

static bool before_measured(struct observe *observe, struct connection *conn, struct error *err)
{
    look_free(observe->before);
    observe->before = NULL;
    if (!aside_enter(conn, err))
        return false;
    observe->before = look_take(conn, err);
    observe->said_count = 0;
    observe->is_listening = true;
    return observe->before != NULL && aside_leave(conn, err) && query_run(conn, &SPEAK, NULL, NULL, err);
}

static bool measure(struct observe *observe, struct connection *conn, size_t statement, struct error *err)
{
    struct measurement *measurement = arena_alloc(observe->arena, 1, sizeof *measurement);
    struct look *now = look_take(conn, err);

    if (now == NULL)
        return false;
    look_compare(observe->arena, observe->first, observe->before, now, measurement);
    look_free(now);
    measurement->said_count = observe->said_count;
    measurement->said = arena_alloc(observe->arena, observe->said_count, sizeof *measurement->said);
    if (observe->said_count > 0)
        memcpy(measurement->said, observe->said, observe->said_count * sizeof *measurement->said);
    if (statement < observe->count)
        observe->all[statement] = measurement;
    return true;
}

static bool before(struct observer *observer, struct connection *conn, size_t statement, struct error *err)
{
    struct observe *observe = (struct observe *)observer;

    (void)statement;
    return observe->first == NULL || before_measured(observe, conn, err);
}

static bool after(struct observer *observer, struct connection *conn, size_t statement, struct error *err)
{
    struct observe *observe = (struct observe *)observer;

    observe->is_listening = false;
    if (!observe->is_on_live_server && observe->first == NULL)
        return true;
    return aside_enter(conn, err) && check_reach(observe, conn, err) &&
           (observe->first == NULL || measure(observe, conn, statement, err)) && aside_leave(conn, err);
}

void observe_begin(struct observe *observe, struct connection *conn)
{
    observe->observer = (struct observer) { before, after };
    connection_listen(conn, listen, observe);
}

void observe_script(struct observe *observe, size_t statements)
{
    observe->count = statements;
    observe->all = arena_alloc(observe->arena, statements, sizeof *observe->all);
}

void observe_end(struct observe *observe, struct connection *conn)
{
    connection_listen(conn, NULL, NULL);
    look_free(observe->before);
    observe->before = NULL;
}

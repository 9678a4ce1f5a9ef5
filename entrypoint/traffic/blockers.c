#include "traffic/blockers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "sql/quote.h"

enum { MODES = 8 };

/* Which modes conflict (documentation, "Explicit Locking", table of conflicting lock modes). */
static const struct {
    const char *name;
    const char *conflicts; /* an array for the server */
} CONFLICTS[MODES] = {
    { "AccessShareLock", "{AccessExclusiveLock}" },
    { "RowShareLock", "{ExclusiveLock,AccessExclusiveLock}" },
    { "RowExclusiveLock", "{ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}" },
    { "ShareUpdateExclusiveLock",
      "{ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}" },
    { "ShareLock",
      "{RowExclusiveLock,ShareUpdateExclusiveLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}" },
    { "ShareRowExclusiveLock",
      "{RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,"
      "AccessExclusiveLock}" },
    { "ExclusiveLock",
      "{RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,"
      "AccessExclusiveLock}" },
    { "AccessExclusiveLock",
      "{AccessShareLock,RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,"
      "ExclusiveLock,AccessExclusiveLock}" },
};

/* The oldest first: usually it takes longest. */
static const struct query HOLDERS = {
    .name = "lock_holders",
    .parameters = 2,
    .sql =
        "SELECT " BLOCKER_COLUMNS
        "  FROM pg_catalog.pg_locks AS l"
        "  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid"
        BLOCKER_PREPARED
        " WHERE l.granted AND l.locktype = 'relation' AND l.relation = $1::oid AND l.mode = ANY ($2::text[])"
        "   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d"
        "                      WHERE d.datname = pg_catalog.current_database())"
        "   AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()"
        " GROUP BY " BLOCKER_GROUPS " ORDER BY a.xact_start LIMIT 16",
};

static const char *conflicts_of(const char *mode)
{
    for (size_t i = 0; i < MODES; i++) {
        if (strcmp(CONFLICTS[i].name, mode) == 0)
            return CONFLICTS[i].conflicts;
    }
    return "{}";
}

static double seconds(const struct result *result, int row, int column)
{
    return result_is_null(result, row, column) ? -1 : strtod(result_text(result, row, column), NULL);
}

static void read_one(const struct result *result, int row, int first, struct blocker *out)
{
    *out = (struct blocker) { .pid = (int)result_number(result, row, first),
                              .age = seconds(result, row, first + 1),
                              .idle = seconds(result, row, first + 2),
                              .is_wraparound = result_bool(result, row, first + 10) };
    text_copy_cut(out->name, sizeof out->name, result_text(result, row, first + 3));
    text_copy_cut(out->user, sizeof out->user, result_text(result, row, first + 4));
    text_copy_cut(out->state, sizeof out->state, result_text(result, row, first + 5));
    text_copy_cut(out->kind, sizeof out->kind, result_text(result, row, first + 6));
    text_copy_cut(out->held, sizeof out->held, result_text(result, row, first + 7));
    text_copy_cut(out->started, sizeof out->started, result_text(result, row, first + 8));
    text_copy_cut(out->transaction, sizeof out->transaction, result_text(result, row, first + 9));
    text_copy_cut(out->database, sizeof out->database, result_text(result, row, first + 11));
}

void blockers_read(const struct result *result, int first, struct blockers *out)
{
    out->count = 0;
    for (int row = 0; row < result_rows(result) && out->count < BLOCKERS_MOST; row++)
        read_one(result, row, first, &out->list[out->count++]);
}

/* Whether one of the modes in `held` ("RowShareLock, ShareLock") conflicts with `mode`. */
static bool is_in_conflict(const char *mode, const char *held)
{
    struct slice conflicts = slice_of(conflicts_of(mode));

    for (const char *at = held; *at != '\0';) {
        size_t length = strcspn(at, ", ");

        /* Each name in the list stands between a brace or a comma and the next. */
        for (const char *found = conflicts.at; (found = strchr(found, *at)) != NULL; found++) {
            if (found > conflicts.at && strchr("{,", found[-1]) != NULL &&
                strncmp(found, at, length) == 0 && strchr(",}", found[length]) != NULL)
                return true;
        }
        at += length;
        at += strspn(at, ", ");
    }
    return false;
}

void blockers_drop_harmless(const char *mode, struct blockers *blockers)
{
    size_t kept = 0;

    for (size_t i = 0; i < blockers->count; i++) {
        if (blockers->list[i].pid != 0 || is_in_conflict(mode, blockers->list[i].held))
            blockers->list[kept++] = blockers->list[i];
    }
    blockers->count = kept;
}

bool blockers_find(struct connection *conn, const struct wanted_lock *wanted_lock, struct blockers *out,
                   struct error *err)
{
    const char *const parameters[] = { wanted_lock->oid, conflicts_of(wanted_lock->mode) };
    auto_result struct result *result = NULL;

    if (!query_run(conn, &HOLDERS, parameters, &result, err))
        return false;
    blockers_read(result, 0, out);
    return true;
}

/* What is not visible is left out. */
static void add_part(struct text *out, const char *before, const char *part)
{
    if (part[0] != '\0')
        text_add_format(out, "%s%s, ", before, part);
}

static void describe_session(const struct blocker *blocker, struct text *out)
{
    char age[32];

    text_add_format(out, "pid %d (", blocker->pid);
    if (blocker->name[0] != '\0')
        text_add_format(out, "\"%s\", ", blocker->name);
    add_part(out, "user ", blocker->user);
    if (strcmp(blocker->kind, "client backend") != 0 && blocker->kind[0] != '\0')
        text_add_format(out, "%s%s, ", blocker->kind, blocker->is_wraparound ? " to prevent wraparound" : "");
    add_part(out, "", blocker->state);
    if (blocker->age >= 0)
        text_add_format(out, "transaction open for %s)",
                        duration_text((int64_t)(blocker->age * 1000), age, sizeof age));
    else
        text_add_string(out, "only members of pg_monitor can see more)");
}

static void describe_prepared(const struct blocker *blocker, struct text *out)
{
    char age[32];

    text_add_format(out, "the prepared transaction \"%s\" (", blocker->name);
    if (blocker->database[0] != '\0')
        text_add_format(out, "in database \"%s\", ", blocker->database);
    text_add_format(out, "of user %s, prepared %s ago)", blocker->user,
                    duration_text((int64_t)(blocker->age * 1000), age, sizeof age));
}

void blocker_describe(const struct blocker *blocker, struct text *out)
{
    if (blocker->pid == 0)
        describe_prepared(blocker, out);
    else
        describe_session(blocker, out);
    text_add_format(out, ", which holds %s", blocker->held);
}

void blocker_add_remedy(const struct blocker *blocker, struct text *out)
{
    auto_text struct text gid = text_init(4 * GID_SIZE);
    struct slice quoted;

    if (blocker->pid != 0) {
        text_add_format(out, "SELECT pg_terminate_backend(%d);", blocker->pid);
        return;
    }
    quote_literal(blocker->name, &gid);
    quoted = slice_trim(text_slice(&gid));
    if (blocker->database[0] != '\0')
        text_add_format(out, "in database \"%s\": ", blocker->database);
    text_add_format(out, "ROLLBACK PREPARED %.*s; (or COMMIT PREPARED %.*s;)", (int)quoted.length, quoted.at,
                    (int)quoted.length, quoted.at);
}

enum action { ACTION_NONE, ACTION_CANCEL, ACTION_TERMINATE, ACTIONS };

#define SIGNAL(function)                                                                                     \
    "SELECT pg_catalog." function                                                                            \
    "(a.pid) FROM pg_catalog.pg_stat_activity AS a"                                                          \
    " WHERE a.pid = $1::integer AND a.backend_start = $2::timestamptz AND a.state = $3"                      \
    "   AND a.backend_type = 'client backend' AND a.application_name NOT LIKE 'tidelock %'"                  \
    "   AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.oid = a.usesysid AND r.rolsuper)"

static const struct {
    struct query query;
    const char *text;
} SIGNALS[ACTIONS] = {
    [ACTION_CANCEL] = { { .name = "cancel_blocker", .parameters = 3, .sql = SIGNAL("pg_cancel_backend") },
                        "cancelled the statement of" },
    [ACTION_TERMINATE] = { { .name = "end_blocker", .parameters = 3, .sql = SIGNAL("pg_terminate_backend") },
                           "ended the session of" },
};

static enum action decide(const struct blocker *blocker, const struct blocker_policy *policy)
{
    double age_ms = blocker->age * 1000;

    if (strncmp(blocker->state, "idle in transaction", strlen("idle in transaction")) == 0)
        return policy->terminate_idle_ms > 0 && blocker->idle * 1000 >= (double)policy->terminate_idle_ms
                   ? ACTION_TERMINATE
                   : ACTION_NONE;
    if (strcmp(blocker->state, "active") != 0 || policy->cancel_ms == 0 || age_ms < (double)policy->cancel_ms)
        return ACTION_NONE;
    return age_ms >= 2 * (double)policy->cancel_ms && strcmp(policy->cancelled, blocker->transaction) == 0
               ? ACTION_TERMINATE
               : ACTION_CANCEL;
}

void blocker_act(struct connection *conn, const struct blocker *blocker, struct blocker_policy *policy)
{
    enum action action = decide(blocker, policy);
    auto_result struct result *result = NULL;
    auto_text struct text who = text_init(1024);
    char pid[16];
    const char *const parameters[] = { pid, blocker->started, blocker->state };
    struct error err;

    if (action == ACTION_NONE)
        return;
    if (action == ACTION_CANCEL)
        text_copy_cut(policy->cancelled, sizeof policy->cancelled, blocker->transaction);
    (void)snprintf(pid, sizeof pid, "%d", blocker->pid);
    blocker_describe(blocker, &who);
    if (!query_run(conn, &SIGNALS[action].query, parameters, &result, &err))
        log_warn("could not cancel or end %s: %s", who.at, err.message);
    else if (result_rows(result) > 0 && result_bool(result, 0, 0))
        log_warn("%s %s", SIGNALS[action].text, who.at);
}

#include "traffic/blockers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "sql/quote.h"

enum { MODES = 8, SQL_MOST = 8 * 1024, NAMED_MOST = 3 };

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
        "  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid" BLOCKER_PREPARED
        " WHERE l.granted AND l.locktype OPERATOR(pg_catalog.=) 'relation'"
        "   AND l.relation OPERATOR(pg_catalog.=) $1::pg_catalog.oid"
        "   AND l.mode OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])"
        "   AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d"
        "                      WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
        "   AND (l.pid IS NULL OR l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid())"
        " GROUP BY " BLOCKER_GROUPS " ORDER BY a.xact_start LIMIT 16",
};

const char *lock_conflicts(const char *mode)
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
                              .is_wraparound = result_bool(result, row, first + 9),
                              .is_superuser = result_bool(result, row, first + 11) };
    text_copy_cut(out->name, sizeof out->name, result_text(result, row, first + 3));
    text_copy_cut(out->user, sizeof out->user, result_text(result, row, first + 4));
    text_copy_cut(out->state, sizeof out->state, result_text(result, row, first + 5));
    text_copy_cut(out->kind, sizeof out->kind, result_text(result, row, first + 6));
    text_copy_cut(out->held, sizeof out->held, result_text(result, row, first + 7));
    text_copy_cut(out->transaction, sizeof out->transaction, result_text(result, row, first + 8));
    text_copy_cut(out->database, sizeof out->database, result_text(result, row, first + 10));
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
    struct slice conflicts = slice_of(lock_conflicts(mode));

    for (const char *at = held; *at != '\0';) {
        size_t length = strcspn(at, ", ");

        /* Each name in the list stands between a brace or a comma and the next. */
        for (const char *found = conflicts.at; (found = strchr(found, *at)) != NULL; found++) {
            if (found > conflicts.at && strchr("{,", found[-1]) != NULL && strncmp(found, at, length) == 0 &&
                strchr(",}", found[length]) != NULL)
                return true;
        }
        at += length;
        at += strspn(at, ", ");
    }
    return false;
}

bool blocker_mode_is_strong(const char *mode)
{
    return is_in_conflict(mode, "RowExclusiveLock");
}

void blockers_drop_harmless(const char *mode, struct blockers *blockers)
{
    size_t kept = 0;

    for (size_t i = 0; i < blockers->count; i++) {
        if (blockers->list[i].pid != 0 || blockers->list[i].held[0] == '\0' ||
            is_in_conflict(mode, blockers->list[i].held))
            blockers->list[kept++] = blockers->list[i];
    }
    blockers->count = kept;
}

/* The transaction $1, if it still holds its own lock, which whoever wants one of its rows waits for. */
static const struct query ROW_HOLDER = {
    .name = "row_holder",
    .parameters = 1,
    .sql =
        "SELECT " BLOCKER_COLUMNS
        "  FROM pg_catalog.pg_locks AS l"
        "  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid" BLOCKER_PREPARED
        " WHERE l.granted AND l.locktype OPERATOR(pg_catalog.=) 'transactionid'"
        "   AND l.virtualtransaction OPERATOR(pg_catalog.=) $1"
        " GROUP BY " BLOCKER_GROUPS " LIMIT 1",
};

bool blockers_find(struct connection *conn, const struct wanted_lock *wanted_lock, struct blockers *out,
                   struct error *err)
{
    const char *const table[] = { wanted_lock->oid, lock_conflicts(wanted_lock->mode) };
    const char *const row[] = { wanted_lock->holder };
    auto_result struct result *result = NULL;

    if (!(wanted_lock->is_row ? query_run(conn, &ROW_HOLDER, row, &result, err)
                              : query_run(conn, &HOLDERS, table, &result, err)))
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
    if (blocker->held[0] != '\0')
        text_add_format(out, ", which holds %s", blocker->held);
    else
        text_add_string(out, blocker->pid == 0 ? ", which has to end" : ", whose transaction has to end");
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

static size_t count_sessions(const struct blockers *blockers)
{
    size_t count = 0;

    for (size_t i = 0; i < blockers->count; i++)
        count += blockers->list[i].pid != 0;
    return count;
}

/* The first `count`; `last` comes before the last of them. */
static void list_sessions(const struct blockers *blockers, size_t count, const char *last, struct text *out)
{
    size_t said = 0;

    for (size_t i = 0; i < blockers->count && said < count; i++) {
        if (blockers->list[i].pid == 0)
            continue;
        if (said > 0)
            text_add_string(out, said + 1 == count ? last : ", ");
        text_add_format(out, "%d", blockers->list[i].pid);
        said++;
    }
}

void blockers_name(const struct blockers *blockers, struct text *out)
{
    const size_t count = count_sessions(blockers);
    const size_t named = count > NAMED_MOST ? NAMED_MOST : count;

    if (count == 0)
        return;
    text_add_string(out, count == 1 ? "pid " : "pids ");
    list_sessions(blockers, named, named == blockers->count ? " and " : ", ", out);
    if (named < count)
        text_add_format(out, " and %zu more", blockers->count - named);
    else if (count < blockers->count)
        text_add_string(out, " and a prepared transaction");
}

/* Only a superuser may end a superuser's session. */
void blockers_add_remedy(const struct blockers *blockers, struct text *out)
{
    bool needs_superuser = false;

    if (blockers->count == 0)
        return;
    for (size_t i = 0; i < blockers->count && i < NAMED_MOST; i++)
        needs_superuser = needs_superuser || blockers->list[i].is_superuser;
    text_add_string(out, needs_superuser ? ", as a superuser:" : ":");
    for (size_t i = 0; i < blockers->count && i < NAMED_MOST; i++) {
        text_add_string(out, " ");
        blocker_add_remedy(&blockers->list[i], out);
    }
}

/* What is done, and how the log says it. */
static const struct {
    const char *function;
    const char *text;
    const char *spared;
} SIGNALS[BLOCKER_ACTIONS] = {
    [BLOCKER_CANCEL] = { "pg_cancel_backend", "cancelled the statement of",
                         "not cancelling the statement of" },
    [BLOCKER_TERMINATE] = { "pg_terminate_backend", "ended the session of", "not ending the session of" },
};

static bool is_idle(const struct blocker *blocker)
{
    return strncmp(blocker->state, "idle in transaction", strlen("idle in transaction")) == 0;
}

/* What it is time for, whoever's session it is. */
static enum blocker_action due_action(const struct blocker *blocker, const struct wanted_lock *wanted_lock,
                                      const struct blocker_policy *policy)
{
    double age_ms = blocker->age * 1000;

    /* It may only stand before us in the queue. */
    if (!wanted_lock->is_row && !wanted_lock->is_transaction &&
        !is_in_conflict(wanted_lock->mode, blocker->held))
        return BLOCKER_LEAVE;
    if (is_idle(blocker))
        return policy->terminate_idle_ms > 0 && blocker->idle * 1000 >= (double)policy->terminate_idle_ms
                   ? BLOCKER_TERMINATE
                   : BLOCKER_LEAVE;
    if (strcmp(blocker->state, "active") != 0 || policy->cancel_ms == 0 || age_ms < (double)policy->cancel_ms)
        return BLOCKER_LEAVE;
    return age_ms >= 2 * (double)policy->cancel_ms && strcmp(policy->cancelled, blocker->transaction) == 0
               ? BLOCKER_TERMINATE
               : BLOCKER_CANCEL;
}

/* Why nothing is ever done about a session, whatever the policy says, as what follows "it"; NULL = it may be.
 */
static const char *protection_of(const struct blocker *blocker)
{
    if (blocker->is_superuser)
        return "belongs to a superuser";
    if (slice_starts_with(slice_of(blocker->name), "tidelock "))
        return "is one of tidelock";
    return blocker->kind[0] != '\0' && strcmp(blocker->kind, "client backend") != 0 ? "is not a client's"
                                                                                    : NULL;
}

enum blocker_action blocker_decide(const struct blocker *blocker, const struct wanted_lock *wanted_lock,
                                   const struct blocker_policy *policy)
{
    return protection_of(blocker) != NULL ? BLOCKER_LEAVE : due_action(blocker, wanted_lock, policy);
}

const char *blocker_spared(const struct blocker *blocker, const struct blocker_policy *policy)
{
    return strcmp(policy->spared, blocker->transaction) == 0 ? protection_of(blocker) : NULL;
}

void blocker_say_spared(const struct blocker *blocker, const struct wanted_lock *wanted_lock,
                        struct blocker_policy *policy)
{
    enum blocker_action action = due_action(blocker, wanted_lock, policy);
    auto_text struct text who = text_init(2048);

    if (protection_of(blocker) == NULL || action == BLOCKER_LEAVE || blocker_spared(blocker, policy) != NULL)
        return;
    text_copy_cut(policy->spared, sizeof policy->spared, blocker->transaction);
    blocker_describe(blocker, &who);
    log_warn("%s %s: it %s", SIGNALS[action].spared, who.at, protection_of(blocker));
}

/* The lock itself, as a condition on pg_locks AS l. */
static void add_lock(const struct wanted_lock *wanted_lock, struct text *sql)
{
    if (wanted_lock->is_row || wanted_lock->is_transaction)
        text_add_format(sql, "l.locktype OPERATOR(pg_catalog.=) '%s'",
                        wanted_lock->is_row ? "transactionid" : "virtualxid");
    else
        text_add_format(sql,
                        "l.locktype OPERATOR(pg_catalog.=) 'relation'"
                        " AND l.relation OPERATOR(pg_catalog.=) '%s'::pg_catalog.oid"
                        " AND l.mode OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.text[])",
                        wanted_lock->oid, lock_conflicts(wanted_lock->mode));
}

/* What was seen may have changed while the answer was on its way: another transaction of the same session may
 * have nothing to do with the table. */
void blocker_add_signal(const struct blocker *blocker, const struct wanted_lock *wanted_lock,
                        struct blocker_policy *policy, struct text *sql)
{
    enum blocker_action action = blocker_decide(blocker, wanted_lock, policy);

    if (action == BLOCKER_CANCEL)
        text_copy_cut(policy->cancelled, sizeof policy->cancelled, blocker->transaction);
    text_add_format(sql,
                    "SELECT pg_catalog.%s(a.pid) FROM pg_catalog.pg_stat_activity AS a"
                    " WHERE a.pid OPERATOR(pg_catalog.=) %d AND a.state OPERATOR(pg_catalog.=) ",
                    SIGNALS[action].function, blocker->pid);
    quote_literal(blocker->state, sql);
    if (is_idle(blocker))
        text_add_format(sql,
                        " AND (a.state_change OPERATOR(pg_catalog.+)"
                        "      '%lld milliseconds'::pg_catalog.interval)"
                        "     OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp()",
                        (long long)policy->terminate_idle_ms);
    text_add_string(sql,
                    " AND a.backend_type OPERATOR(pg_catalog.=) 'client backend'"
                    " AND a.application_name OPERATOR(pg_catalog.!~~) 'tidelock %'"
                    " AND NOT " BLOCKER_IS_SUPERUSER
                    " AND EXISTS (SELECT FROM pg_catalog.pg_locks AS l"
                    "              WHERE l.granted AND l.pid OPERATOR(pg_catalog.=) a.pid"
                    "                AND l.virtualtransaction OPERATOR(pg_catalog.=) ");
    quote_literal(blocker->transaction, sql);
    text_add_string(sql, " AND ");
    add_lock(wanted_lock, sql);
    text_add_string(sql, ")");
}

void blocker_say_signal(const struct blocker *blocker, enum blocker_action action)
{
    auto_text struct text who = text_init(2048);

    blocker_describe(blocker, &who);
    log_warn("%s %s", SIGNALS[action].text, who.at);
}

void blocker_act(struct connection *conn, const struct blocker *blocker,
                 const struct wanted_lock *wanted_lock, struct blocker_policy *policy)
{
    enum blocker_action action = blocker_decide(blocker, wanted_lock, policy);
    auto_result struct result *result = NULL;
    auto_text struct text sql = text_init(SQL_MOST);
    struct error err;

    blocker_say_spared(blocker, wanted_lock, policy);
    if (action == BLOCKER_LEAVE)
        return;
    blocker_add_signal(blocker, wanted_lock, policy, &sql);
    if (!query_several(conn, &(const struct query) { .name = "signal_blocker", .sql = sql.at }, &result, 1,
                       &err))
        log_warn("could not cancel or end pid %d: %s", blocker->pid, err.message);
    else if (result_rows(result) > 0 && result_bool(result, 0, 0))
        blocker_say_signal(blocker, action);
}

#include "execution/contract.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/patience.h"
#include "base/stamp.h"
#include "postgres/aside.h"

enum { LIST_MOST = 1024, SHOWN_MOST = 8, LOOK_EVERY_MS = 1000 };

/* A pooler in transaction mode gives an application a session of the server only while it has something to
 * do: one look proves little. */
enum { LOOKS_PLAIN = 1, LOOKS_POOLED = 10 };

/* Sessions of clients in this database but ours, those that are alike together. Everybody may see database,
 * role and application_name of each; host and kind are null for who is neither a member of its role nor of
 * pg_read_all_stats. */
static const struct query CONTRACT_SESSIONS = {
    .name = "contract_sessions",
    .sql =
        "SELECT COALESCE(a.application_name, ''), COALESCE(a.usename, ''),"
        "       COALESCE(pg_catalog.host(a.client_addr),"
        "                CASE WHEN a.backend_type IS NULL THEN '' ELSE 'a local socket' END),"
        "       pg_catalog.count(*), pg_catalog.bool_or(a.backend_type IS NULL), CURRENT_USER"
        "  FROM pg_catalog.pg_stat_activity AS a"
        " WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
        "   AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"
        "   AND COALESCE(a.backend_type, 'client backend') OPERATOR(pg_catalog.=) 'client backend'"
        "   AND COALESCE(a.application_name, '') OPERATOR(pg_catalog.!~~) 'tidelock %'"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
};

enum { SESSION_NAME, SESSION_ROLE, SESSION_HOST, SESSION_COUNT, SESSION_IS_HIDDEN, SESSION_US };

/* Some of the sessions. */
struct sessions {
    int64_t count;
    int groups;
    struct text list; /* of the first groups */
};

struct look {
    struct sessions older;
    struct sessions unknown;
    bool is_hidden; /* where some come from is not shown … */
    char role[64];  /* … to this role */
};

static void add_session(struct sessions *sessions, const char *what, const struct result *rows, int row)
{
    const char *host = result_text(rows, row, SESSION_HOST);
    int64_t count = result_number(rows, row, SESSION_COUNT);

    sessions->count += count;
    if (sessions->groups++ == SHOWN_MOST)
        text_add_string(&sessions->list, ", …");
    if (sessions->groups > SHOWN_MOST)
        return;
    text_add_format(&sessions->list, "%s%lld of %s%s%s (role %s)", sessions->groups == 1 ? "" : ", ",
                    (long long)count, what, host[0] == '\0' ? "" : " from ", host,
                    result_text(rows, row, SESSION_ROLE));
}

static void sort_session(const struct execution *execution, const struct result *rows, int row,
                         struct look *out)
{
    const char *name = result_text(rows, row, SESSION_NAME);
    char what[128];
    struct slice told;
    struct release theirs;
    struct release floor;

    if (!stamp_read(name, &told) || !release_parse(told, &theirs) ||
        !release_parse(execution->directives.floor, &floor)) {
        (void)snprintf(what, sizeof what, "\"%s\"", name);
        add_session(&out->unknown, what, rows, row);
    } else if (release_compare(&theirs, &floor) < 0) {
        (void)snprintf(what, sizeof what, "release %.*s", (int)told.length, told.at);
        add_session(&out->older, what, rows, row);
    }
}

static bool look(const struct execution *execution, struct look *out, struct error *err)
{
    const struct batch_item item = { .query = &CONTRACT_SESSIONS };
    auto_result struct result *rows = NULL;

    *out = (struct look) { .older = { .list = text_init(LIST_MOST) },
                           .unknown = { .list = text_init(LIST_MOST) } };
    if (!aside_run(execution->conn, NULL, &(const struct batch) { .items = &item, .count = 1 }, &rows, err))
        return error_context(err, "looking for sessions of older releases");
    for (int i = 0; i < result_rows(rows); i++) {
        sort_session(execution, rows, i, out);
        out->is_hidden |= result_bool(rows, i, SESSION_IS_HIDDEN);
        text_copy_cut(out->role, sizeof out->role, result_text(rows, i, SESSION_US));
    }
    return true;
}

static void look_clear(struct look *look)
{
    text_clear(&look->older.list);
    text_clear(&look->unknown.list);
}

/* What has to be gone. */
static int64_t left(const struct execution *execution, const struct look *look)
{
    return look->older.count + (execution->directives.contract.is_strict ? look->unknown.count : 0);
}

static void add_left(const struct execution *execution, const struct look *look, struct text *out)
{
    bool has_unknown = execution->directives.contract.is_strict && look->unknown.count > 0;

    text_add_format(out, "%s%s%s%s", look->older.list.at, look->older.count > 0 && has_unknown ? ", " : "",
                    has_unknown ? "without a release: " : "", has_unknown ? look->unknown.list.at : "");
}

static void add_floor(const struct execution *execution, struct text *out)
{
    text_add(out, execution->directives.floor.at, execution->directives.floor.length);
}

static bool give_up(const struct execution *execution, const struct look *look, struct error *err)
{
    auto_text struct text floor = text_init(RELEASE_SIZE);
    auto_text struct text list = text_init(2 * LIST_MOST);
    int64_t count = left(execution, look);

    add_floor(execution, &floor);
    add_left(execution, look, &list);
    error_set(err, ERROR_REFUSED,
              "migration \"%s\" was not begun: %lld session%s %s a release older than %s %s left",
              execution->migration->name, (long long)count, text_plural((size_t)count),
              count > look->older.count ? "that may be of" : "of", floor.at, count == 1 ? "is" : "are");
    error_cause(err, CAUSE_SESSIONS);
    error_detail(err, "%s.", list.at);
    if (look->is_hidden)
        return error_hint(err,
                          "Replace the pods that these belong to, and deploy again. To see where they come "
                          "from: GRANT pg_read_all_stats TO \"%s\"",
                          look->role);
    return error_hint(err,
                      "Replace the pods that these belong to, and deploy again; or let it wait longer: "
                      "contract wait=1h");
}

static void say_unknown(const struct execution *execution, const struct look *look)
{
    if (look->unknown.count > 0)
        log_warn("%s does not wait for sessions without a release, which may be of an older one: %s",
                 execution->migration->name, look->unknown.list.at);
}

static void say_waiting(const struct execution *execution, struct patience *patience, const struct look *look)
{
    auto_text struct text list = text_init(2 * LIST_MOST);
    auto_text struct text floor = text_init(RELEASE_SIZE);

    add_floor(execution, &floor);
    add_left(execution, look, &list);
    if (patience_has_word(patience, list.at))
        log_wait("waiting until no session of a release older than %s is left: %s", floor.at, list.at);
}

/* *is_over: it may begin, or the error says why not. */
static bool look_once(struct execution *execution, struct patience *patience, int *quiet, bool *is_over,
                      struct error *err)
{
    const int wanted = execution->hides_sessions ? LOOKS_POOLED : LOOKS_PLAIN;
    struct look now;
    bool may_go_on = true;

    *is_over = true;
    if (!look(execution, &now, err)) {
        look_clear(&now);
        return false;
    }
    *quiet = left(execution, &now) > 0 ? 0 : *quiet + 1;
    if (*quiet == wanted) {
        say_unknown(execution, &now);
    } else if (*quiet == 0 && patience_is_over(patience)) {
        may_go_on = give_up(execution, &now, err);
    } else {
        *is_over = false;
        if (*quiet == 0)
            say_waiting(execution, patience, &now);
    }
    look_clear(&now);
    return may_go_on;
}

static bool is_contract(const struct execution *execution)
{
    return execution->directives.contract.is_said && !execution->is_replay &&
           !execution->migration->is_inverse;
}

bool contract_try(const struct execution *execution, struct error *err)
{
    auto_text struct text list = text_init(2 * LIST_MOST);
    struct look now;
    bool is_seen;

    if (!is_contract(execution))
        return true;
    is_seen = look(execution, &now, err);
    add_left(execution, &now, &list);
    if (is_seen && list.length > 0)
        log_warn("%s would wait for the end of sessions: %s", execution->migration->name, list.at);
    if (is_seen && !execution->directives.contract.is_strict)
        say_unknown(execution, &now);
    look_clear(&now);
    return is_seen;
}

bool contract_wait(struct execution *execution, struct error *err)
{
    struct patience patience = { .until = deadline_in(execution->directives.contract.wait_ms) };
    /* That it is quiet has to be seen, also when there is no time to wait for it. */
    struct patience always = { .until = deadline_never() };
    bool is_over = false;
    int quiet = 0;

    if (!is_contract(execution))
        return true;
    if (execution->hides_sessions)
        log_info(
            "applications that reach the database through a pooler in transaction mode are seen only now "
            "and then: no session of an older release may be seen for %d seconds",
            LOOKS_POOLED);
    for (;;) {
        if (!execution_may_go_on(execution, err) || !look_once(execution, &patience, &quiet, &is_over, err))
            return false;
        if (is_over)
            return true;
        if (!patience_pause(quiet > 0 ? &always : &patience, LOOK_EVERY_MS, err))
            return false;
    }
}

#include "execution/assertion.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/patience.h"
#include "execution/lock_retry.h"

enum { SQL_MOST = 64 * 1024, ASK_EVERY_MS = 1000, SHOWN_MOST = 160 };

/* Points at the assertion; `how` is the beginning of the message. */
static bool refuse(const struct execution *execution, const struct assertion *assertion, const char *how,
                   struct error *err)
{
    auto_free char *whole = memory_copy(assertion->expression.at, assertion->expression.length);
    char shown[SHOWN_MOST];

    text_copy_cut(shown, sizeof shown, whole);
    error_message(err, "%s migration \"%s\": %s", how, execution->migration->name, shown);
    error_code(err, execution->ledger->dialect->codes.failed);
    return execution_point(execution, (size_t)(assertion->expression.at - execution->script.at), err);
}

static bool ask(const struct execution *execution, const struct assertion *assertion, bool *is_true,
                struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *result = NULL;
    struct query query = { .name = "assertion" };
    char why[sizeof err->message];

    text_add_format(&sql, "SELECT (%.*s\n)::boolean", (int)assertion->expression.length,
                    assertion->expression.at);
    query.sql = sql.at;
    if (query_run(execution->conn, &query, NULL, &result, err)) {
        *is_true = result_rows(result) == 1 && result_bool(result, 0, 0);
        return true;
    }
    if (err->class == ERROR_LOST || err->class == ERROR_INTERRUPTED || err->class == ERROR_LEADER ||
        err->class == ERROR_TABLE_LOCK)
        return false;
    text_copy_cut(why, sizeof why, err->message);
    err->contexts = 0;
    err->class = ERROR_CLEAN;
    refuse(execution, assertion, "could not evaluate an assertion in", err);
    return error_detail(err, "%s", why);
}

/* In a transaction that is rolled back: nothing that an assertion does may persist. */
static bool ask_aside(struct execution *execution, const struct assertion *assertion, bool *is_true,
                      struct error *err)
{
    struct session_settings settings = execution->settings;
    auto_text struct text sql = text_init(SQL_MOST);
    bool is_asked;

    settings.lock_timeout_ms = retry_lock_timeout_ms(&execution->lock_wait.retry, WAIT_TABLE);
    text_add_string(&sql, "BEGIN READ ONLY;");
    session_settings_add(&settings, true, &sql);
    is_asked = query_several(execution->conn, &(const struct query) { .name = "begin", .sql = sql.at }, NULL,
                             0, err) &&
               ask(execution, assertion, is_true, err);
    execution_roll_back_own(execution->conn);
    return is_asked;
}

bool assertion_ask(struct execution *execution, const struct assertion *assertion, bool *is_true,
                   struct error *err)
{
    for (;;) {
        bool is_asked;

        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
        is_asked = ask_aside(execution, assertion, is_true, err);
        watch_stop(execution->watch);
        if (is_asked) {
            execution->lock_wait.retry.tries = 0;
            return true;
        }
        if (err->class != ERROR_TABLE_LOCK)
            return false;
        execution_point(execution, (size_t)(assertion->expression.at - execution->script.at), err);
        if (!lock_retry(execution, err))
            return false;
    }
}

static bool is_not_true(const struct execution *execution, const struct assertion *assertion,
                        struct error *err)
{
    error_set(err, ERROR_CLEAN, "not true");
    refuse(execution, assertion, "assertion failed in", err);
    return false;
}

static const char *const WAIT_HINTS[] = {
    [false] = "Deploy again when the assertion is true. To wait for it, write: assert wait=10m …",
    [true] = "Deploy again when the assertion is true, or let it wait longer.",
};

static bool wait_until_true(struct execution *execution, const struct assertion *assertion, struct error *err)
{
    struct patience patience = { .until = deadline_in(assertion->wait_ms) };
    bool is_true = false;

    for (;;) {
        if (!assertion_ask(execution, assertion, &is_true, err))
            return false;
        if (is_true)
            return true;
        if (patience_is_over(&patience)) {
            is_not_true(execution, assertion, err);
            return error_hint(err, "%s", WAIT_HINTS[assertion->wait_ms > 0]);
        }
        if (patience_has_word(&patience, NULL))
            log_wait("waiting until the assertion is true: %.*s", (int)assertion->expression.length,
                     assertion->expression.at);
        if (!patience_pause(&patience, ASK_EVERY_MS, err))
            return false;
    }
}

bool assertion_before(struct execution *execution, struct error *err)
{
    const struct directives *directives = &execution->directives;

    for (size_t i = 0; i < directives->assertion_count; i++) {
        if (!directives->assertions[i].is_after &&
            !wait_until_true(execution, &directives->assertions[i], err))
            return false;
    }
    return true;
}

static void warn_of(const struct execution *execution, const struct assertion *assertion, const char *what)
{
    log_warn("the assertion of %s %s: %.*s", execution->migration->name, what,
             (int)assertion->expression.length, assertion->expression.at);
}

static bool try_one(struct execution *execution, const struct assertion *assertion, bool is_next,
                    struct error *err)
{
    bool is_true = false;

    if (!ask_aside(execution, assertion, &is_true, err)) {
        bool may_go_on = err->class == ERROR_TABLE_LOCK || (err->class == ERROR_CLEAN && !is_next);

        if (may_go_on)
            warn_of(execution, assertion, "could not be tried now");
        return may_go_on;
    }
    if (is_true)
        return true;
    if (!is_next || assertion->wait_ms > 0) {
        warn_of(execution, assertion,
                is_next ? "is not true now, and a deployment would wait for it"
                        : "is not true now; what is applied before it may make it so");
        return true;
    }
    is_not_true(execution, assertion, err);
    return error_hint(err, "%s", WAIT_HINTS[false]);
}

bool assertion_try(struct execution *execution, bool is_next, struct error *err)
{
    const struct directives *directives = &execution->directives;

    for (size_t i = 0; i < directives->assertion_count; i++) {
        if (!directives->assertions[i].is_after &&
            !try_one(execution, &directives->assertions[i], is_next, err))
            return false;
    }
    return true;
}

bool assertion_after(struct execution *execution, struct error *err)
{
    const struct directives *directives = &execution->directives;

    for (size_t i = 0; i < directives->assertion_count; i++) {
        const struct assertion *assertion = &directives->assertions[i];
        bool is_true = false;

        if (!assertion->is_after)
            continue;
        if (!(connection_is_in_transaction(execution->conn)
                  ? ask(execution, assertion, &is_true, err)
                  : assertion_ask(execution, assertion, &is_true, err)))
            return false;
        if (!is_true)
            return is_not_true(execution, assertion, err);
    }
    return true;
}

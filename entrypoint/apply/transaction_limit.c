#include "apply/transaction_limit.h"

#include "postgres/query.h"
#include "sql/session_statement.h"

/* The latest statement, up to the one that failed, that names the setting: its number, from 1, and its place.
 * 0 = none. */
static size_t find_limit_setter(const struct execution *execution, struct error_place *place)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    size_t found = 0;
    struct error at = { .class = ERROR_NONE };

    for (size_t i = 0;
         i <= execution->failed_statement && script_next(&reader, &statement, &at) == SCRIPT_STATEMENT; i++) {
        if (!session_statement_mentions(execution_text(execution, &statement), "transaction_timeout"))
            continue;
        found = i + 1;
        execution_point(execution, statement.start, &at);
        *place = at.place;
    }
    return found;
}

void transaction_limit_tell(const struct execution *execution, struct transaction_limit *out,
                            struct error *err)
{
    static const struct query limit = {
        .name = "transaction_timeout",
        .sql =
            "SELECT setting::bigint, source FROM pg_catalog.pg_settings"
            " WHERE name OPERATOR(pg_catalog.=) 'transaction_timeout'",
    };
    auto_result struct result *result = NULL;
    char text[32];
    struct error ignored;

    *out = (struct transaction_limit) { .is_late = deadline_passed(execution->until) };
    if (out->is_late) {
        error_message(err, "migration \"%s\" failed: cancelled: %s", execution->migration->name,
                      EXECUTION_LATE);
        return;
    }
    out->setter = find_limit_setter(execution, &out->place);
    if (out->setter > 0)
        error_detail(err, "The script sets its transaction_timeout itself, at line %zu.", out->place.line);
    else if (connection_is_lost(execution->conn) ||
             !query_run(execution->conn, &limit, NULL, &result, &ignored) || result_rows(result) != 1)
        error_detail(err, "It is the limit of the setting transaction_timeout.");
    else if (execution->timeout_ms > 0 || result_number(result, 0, 0) == 0) {
        out->is_hidden = true;
        error_detail(err, "Something that the script calls sets transaction_timeout.");
    } else
        error_detail(err, "The limit for transactions is %s; it comes from: %s.",
                     duration_text(result_number(result, 0, 0), text, sizeof text),
                     result_text(result, 0, 1));
}

/* Where the next run begins: at its first statement, or after those that are done and can't be edited. */
static bool find_resumption(const struct execution *execution, size_t done, struct error_place *place)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    struct error at = { .class = ERROR_NONE };

    for (size_t i = 0; i <= done; i++) {
        if (script_next(&reader, &statement, &at) != SCRIPT_STATEMENT)
            return false;
    }
    execution_point(execution, statement.start, &at);
    *place = at.place;
    return true;
}

void transaction_limit_hint(const struct execution *execution, const struct transaction_limit *limit,
                            struct error *err)
{
    const char *path = execution->migration->script_path;
    size_t done = err->class == ERROR_PARTIAL ? execution->course.done : 0;
    struct error_place place;

    if (limit->is_late)
        return;
    if (limit->is_hidden)
        error_hint(
            err,
            "Find what sets transaction_timeout, a function or a trigger that %s uses, correct it, and "
            "deploy again.",
            path);
    else if (limit->setter == 0)
        error_hint(err,
                   "Deploy again with --migration-timeout, which takes the place of this limit, or "
                   "raise it first where it comes from: ALTER ROLE … SET transaction_timeout.");
    else if (limit->setter <= done && find_resumption(execution, done, &place))
        error_hint(err,
                   "What sets it is done and can't be edited any more. In %s, put the line \"SET "
                   "transaction_timeout = 0;\" before statement %zu (line %zu), where it resumes, and deploy "
                   "again.",
                   path, done + 1, place.line);
    else
        error_hint(err, "Raise transaction_timeout in %s, line %zu, and deploy again.", path,
                   limit->place.line);
}

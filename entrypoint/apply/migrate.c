#include "apply/migrate.h"

#include <string.h>

#include "apply/atomic.h"
#include "apply/resumable.h"
#include "base/log.h"
#include "dialect/prisma_checksum.h"
#include "execution/assertion.h"
#include "execution/lock_retry.h"
#include "history/script_file.h"

/* Everything that the script itself says about how it wants to be applied. */
static bool judge(struct execution *execution, struct error *err)
{
    const char *path = execution->migration->script_path;

    if (!directive_parse(path, execution->script, &execution->directives, err) ||
        !script_summarize(path, execution->script, connection_server_version(execution->conn),
                          execution->ledger->has_standard_strings, &execution->summary, err) ||
        !mode_decide(path, execution->script, &execution->summary, &execution->directives, &execution->mode,
                     err))
        return false;
    /* A row that is there already can only be gone on with. */
    if (execution->unfinished != NULL && execution->mode == MODE_ATOMIC)
        execution->mode = MODE_STEPWISE;
    if (execution->directives.lock_timeout_ms >= 0)
        execution->retry.lock_timeout_ms = execution->directives.lock_timeout_ms;
    if (execution->directives.retry_for_ms >= 0)
        execution->retry.retry_for_ms = execution->directives.retry_for_ms;
    if (execution->directives.statement_timeout_ms >= 0)
        execution->settings.statement_timeout_ms = execution->directives.statement_timeout_ms;
    if (execution->directives.migration_timeout_ms >= 0)
        execution->timeout_ms = execution->directives.migration_timeout_ms;
    return true;
}

/* A script that can't even be sent failed cleanly, too: nothing of it was tried. */
static bool prepare(struct execution *execution, struct text *bytes, struct error *err)
{
    if (migration_read(execution->migration, bytes, err) &&
        script_check_text(execution->migration->script_path, text_slice(bytes), err)) {
        prisma_checksum_of(text_slice(bytes), execution->checksum);
        execution->script = script_without_bom(text_slice(bytes));
        if (judge(execution, err))
            return true;
    }
    if (err->class == ERROR_CLEAN) {
        error_message(err, "migration \"%s\" was not started: %s", execution->migration->name, err->message);
        error_code(err, "P3018");
    }
    return false;
}

/* A statement was cancelled, and the server does not say by whose wish: a limit of ours, one that the role or
 * the server has, or somebody. */
static void explain_cancel(const struct execution *execution, struct error *err)
{
    static const struct query limit = {
        .name = "statement_timeout",
        .sql = "SELECT setting::bigint, source FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'",
    };
    auto_result struct result *result = NULL;
    int64_t ms = execution->settings.statement_timeout_ms;
    const char *whose = "the statement-timeout that tidelock was given";
    char text[32];
    struct error ignored;

    if (deadline_passed(execution->until) || err->class == ERROR_TABLE_LOCK ||
        connection_is_lost(execution->conn))
        return;
    if (ms <= 0 && query_run(execution->conn, &limit, NULL, &result, &ignored) && result_rows(result) == 1) {
        ms = result_number(result, 0, 0);
        whose = result_text(result, 0, 1);
    }
    if (ms > 0)
        error_detail(err, "The limit for statements is %s; it comes from: %s.",
                     duration_text(ms, text, sizeof text), whose);
    else
        error_detail(err, "No limit for statements is in force: somebody cancelled it (pg_cancel_backend).");
}

/* Refused in a transaction, though the statement's text does not show it; a new value of an enum, used before
 * it was committed; a procedure that commits. */
static bool needs_no_transaction(const char *sqlstate)
{
    return strcmp(sqlstate, "25001") == 0 || strcmp(sqlstate, "55P04") == 0 || strcmp(sqlstate, "2D000") == 0;
}

/* What persists beside the failed migration itself, and what to type. */
static bool explain(const struct execution *execution, size_t before, struct error *err)
{
    const char *name = execution->migration->name;
    bool is_clean = err->class == ERROR_CLEAN || err->class == ERROR_TABLE_LOCK ||
                    (err->class == ERROR_LEADER && execution->mode == MODE_ATOMIC);

    if (!is_clean && err->class != ERROR_INTERRUPTED && err->class != ERROR_REFUSED)
        return false;
    if (err->holds[0] == '\0' && before == 0)
        error_holds(err, "Nothing of %s.", name);
    else if (err->holds[0] == '\0')
        error_holds(err, "Nothing of %s; what this run applied before it (%zu) stays.", name, before);
    /* What the server itself advises belongs to its message; what comes next is ours to say. */
    if (err->sqlstate[0] != '\0' && err->hint[0] != '\0') {
        error_detail(err, "%s%s%s", err->detail, err->detail[0] == '\0' ? "" : " ", err->hint);
        err->hint[0] = '\0';
    }
    if (err->hint[0] != '\0')
        return false;
    if (err->class == ERROR_TABLE_LOCK && execution->blocker_pid > 0)
        return error_hint(
            err,
            "Deploy again when pid %d is done (to end it: SELECT pg_terminate_backend(%d);), or "
            "allow more time with --retry-for.",
            execution->blocker_pid, execution->blocker_pid);
    if (err->class == ERROR_TABLE_LOCK)
        return error_hint(err, "Deploy again when the table is free, or allow more time with --retry-for.");
    if (err->class == ERROR_INTERRUPTED || err->class == ERROR_LEADER)
        return error_hint(err, "Deploy again: it begins with %s.", name);
    if (execution->mode == MODE_ATOMIC && needs_no_transaction(err->sqlstate))
        return error_hint(err, "Begin %s with the line \"-- tidelock: transaction=off\" and deploy again.",
                          execution->migration->script_path);
    return error_hint(err, "Correct %s and deploy again; nothing has to be resolved.",
                      execution->migration->script_path);
}

bool migration_check_pooled(struct execution *execution, struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    const struct migration *migration = execution->migration;
    bool is_right = prepare(execution, &bytes, err);

    if (err->class == ERROR_INTERRUPTED && !is_right)
        return false;
    if (!is_right || execution->mode == MODE_ATOMIC)
        return true;
    error_set(err, ERROR_USAGE,
              "migration \"%s\" needs a session of its own (%s), and the database URL leads to a pooler in "
              "transaction mode",
              migration->name, MODE_NAMES[execution->mode]);
    error_holds(err, "Nothing was changed by this process.");
    return error_hint(
        err,
        "Give the database itself as DIRECT_URL: a script that commits on its own, or statements like CREATE "
        "INDEX CONCURRENTLY, can be recovered only under a leader lock that lasts longer than a transaction.");
}

/* An atomic migration is one transaction, and that is what is tried again; the other modes see to it for each
 * of their transactions. */
static bool run(struct execution *execution, struct error *err)
{
    if (execution->mode != MODE_ATOMIC)
        return resumable_apply(execution, err);
    while (!atomic_apply(execution, err)) {
        if (!lock_retry(execution, err))
            return false;
    }
    return true;
}

bool migration_apply(struct execution *execution, size_t before, struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    bool is_applied;

    if (!prepare(execution, &bytes, err))
        return explain(execution, before, err);
    log_debug("applying %s, %s, %zu statements", execution->migration->name, MODE_NAMES[execution->mode],
              execution->summary.statements);
    execution->progress->current = execution->progress->latest = execution->migration->name;
    execution->progress->mode = MODE_NAMES[execution->mode];
    execution->progress->current_started_at = clock_wall_seconds();
    progress_enter(execution->progress, PROGRESS_APPLYING);
    if (execution->unfinished == NULL && !assertion_before(execution, err))
        return explain(execution, before, err);
    execution->until = execution->timeout_ms > 0 ? deadline_in(execution->timeout_ms) : deadline_never();
    connection_cancel_at(execution->conn, execution->until, "it took longer than the migration-timeout");
    is_applied = run(execution, err);
    connection_cancel_at(execution->conn, deadline_never(), NULL);
    if (!is_applied && strcmp(err->sqlstate, "57014") == 0)
        explain_cancel(execution, err);
    return is_applied || explain(execution, before, err);
}

#include "apply/migrate.h"

#include <string.h>

#include "apply/atomic.h"
#include "apply/burst.h"
#include "apply/half_done.h"
#include "apply/resumable.h"
#include "apply/transaction_limit.h"
#include "base/log.h"
#include "execution/assertion.h"
#include "execution/contract.h"
#include "execution/floor.h"
#include "execution/lock_retry.h"
#include "history/inverse.h"
#include "history/script_file.h"
#include "sql/gist.h"
#include "sql/session_statement.h"
#include "sql/transaction_head.h"

/* The gist of such a script is found out while the server works on it. */
enum { LARGE_BYTES = 64 * 1024 };

static bool summarize(struct execution *execution, struct error *err)
{
    const struct known_script *known = execution->known;

    if (known != NULL && strcmp(known->checksum, execution->checksum) == 0) {
        execution->summary = known->summary;
        return true;
    }
    return script_summarize(execution_reader(execution), &execution->summary, err);
}

/* Finds out from the script itself how it is to be applied. */
static bool judge(struct execution *execution, struct error *err)
{
    const char *path = execution->migration->script_path;
    const struct mode_question question = { .file = path,
                                            .script = execution->script,
                                            .summary = &execution->summary,
                                            .directives = &execution->directives,
                                            .transaction = execution->migration->is_inverse
                                                               ? SCRIPT_TRANSACTION_UNSAID
                                                               : execution->wishes_of_tool.transaction,
                                            .mixed_hint = execution->wishes_of_tool.mixed_hint,
                                            .transaction_hint =
                                                execution->ledger->dialect->transaction_hint };

    if (!directive_parse(path, execution->script, &execution->directives, err) ||
        !summarize(execution, err) || !mode_decide(&question, &execution->mode, err))
        return false;
    if (execution->is_replay)
        execution->directives.assertion_count = 0;
    execution_take_floor(execution);
    /* An existing row can only be resumed. */
    if (execution->unfinished != NULL && execution->mode == MODE_ATOMIC)
        execution->mode = MODE_STEPWISE;
    execution->rules.is_grouping = execution->directives.transaction != TRANSACTION_OFF &&
                                   execution->wishes_of_tool.transaction != SCRIPT_TRANSACTION_OFF;
    if (execution->directives.lock_timeout_ms >= 0)
        execution->lock_wait.retry.lock_timeout_ms = execution->directives.lock_timeout_ms;
    if (execution->directives.retry_for_ms >= 0)
        execution->lock_wait.retry.retry_for_ms = execution->directives.retry_for_ms;
    if (execution->directives.statement_timeout_ms >= 0)
        execution->settings.statement_timeout_ms = execution->directives.statement_timeout_ms;
    if (execution->directives.migration_timeout_ms >= 0)
        execution->timeout_ms = execution->directives.migration_timeout_ms;
    return true;
}

/* In a file of its own: otherwise they may be the migration's. */
static bool check_inverse_said(const struct execution *execution, struct error *err)
{
    const struct directives *said = &execution->directives;

    if (execution->ledger->dialect->inverse[0] == '\0' ||
        (said->floor.length == 0 && !said->contract.is_said))
        return true;
    error_set(err, ERROR_REFUSED,
              "the inverse of migration \"%s\" has a floor, which only a migration can have",
              execution->migration->name);
    error_holds(err, "Nothing was changed.");
    return error_hint(err,
                      "Remove \"floor\" and \"contract\" from it: the floor of the migration goes with it.");
}

/* Whatever its tool would do, an inverse is one transaction: half of it would leave a schema that no
 * migration has made. */
static bool check_inverse(const struct execution *execution, struct error *err)
{
    const struct script_summary *summary = &execution->summary;

    if (!execution->migration->is_inverse)
        return true;
    if (summary->statements == 0)
        return inverse_refuse(execution->migration, err);
    if (!check_inverse_said(execution, err))
        return false;
    if (execution->mode == MODE_ATOMIC &&
        transaction_head_of(execution_reader(execution), 0, execution->script.length).statements == 0)
        return true;
    error_set(err, ERROR_REFUSED, "the inverse of migration \"%s\" does not run in one plain transaction",
              execution->migration->name);
    error_holds(err, "Nothing was changed.");
    execution_point(execution,
                    summary->nontransactional > 0 ? summary->first_nontransactional.start
                    : summary->begins + summary->commits + summary->rollbacks > 0
                        ? summary->first_control.start
                        : 0,
                    err);
    return error_hint(
        err,
        "Write it without COMMIT, CONCURRENTLY and isolation levels, so that it is done whole or not at all; or go "
        "forward: write a migration that undoes this one.");
}

static bool read_script(struct execution *execution, struct text *bytes, struct error *err)
{
    const struct dialect *dialect = execution->ledger->dialect;
    const struct migration *migration = execution->migration;
    struct known_script *known = execution->known;

    if (known != NULL && known->bytes.length > 0) {
        text_clear(bytes);
        *bytes = known->bytes;
        known->bytes = (struct text) { .at = NULL };
        execution->wishes_of_tool = known->wishes;
        return true;
    }
    return migration_read(dialect, migration, bytes, err) &&
           script_check_text(dialect, migration->script_path, text_slice(bytes), err) &&
           migration_prepare(execution->ledger->folder, migration, bytes, &execution->wishes_of_tool, err);
}

/* A script that cannot even be sent also fails cleanly: nothing of it was run. */
static bool prepare(struct execution *execution, struct text *bytes, struct error *err)
{
    bool is_read = read_script(execution, bytes, err);

    memcpy(execution->checksum, execution->wishes_of_tool.checksum, sizeof execution->checksum);
    if (is_read) {
        execution->script = script_without_bom(text_slice(bytes));
        if (judge(execution, err) && check_inverse(execution, err))
            return true;
    }
    if (err->class == ERROR_CLEAN) {
        error_message(err, "%smigration \"%s\" %s: %s",
                      execution->migration->is_inverse ? "the inverse of " : "", execution->migration->name,
                      execution->unfinished == NULL ? "was not started" : "cannot go on", err->message);
        error_code(err, execution->ledger->dialect->codes.failed);
    }
    return false;
}

/* Behind a pooler in transaction mode, every migration must be one transaction. */
static bool check_pooled(const struct execution *execution, struct error *err)
{
    if (!execution->is_pooled || execution->mode == MODE_ATOMIC)
        return true;
    error_set(err, ERROR_USAGE,
              "migration \"%s\" needs a session of its own (%s), and the database URL leads to a pooler in "
              "transaction mode",
              execution->migration->name, MODE_NAMES[execution->mode]);
    error_holds(err, "Nothing was changed by this process.");
    return error_hint(
        err,
        "Set DIRECT_URL to the database's own address: a script that commits by itself, or a statement "
        "like CREATE INDEX CONCURRENTLY, can be recovered only under a leader lock that outlasts a "
        "transaction.");
}

/* Without a journal, a backfill would lose its place; another one that is killed leaves the cleaning up to a
 * person. */
static bool look_for_journal(const struct execution *execution, struct error *err)
{
    const struct journal journal = { .conn = execution->conn, .ledger_schema = execution->ledger->schema };

    if (execution->mode == MODE_ATOMIC || journal_check(&journal, JOURNAL_USE_ALL, err))
        return true;
    if (execution->mode == MODE_BACKFILL || err->class != ERROR_CLEAN)
        return error_context(err, "looking for a place for the backfill's progress");
    log_warn("%s: if %s is killed, you will have to clean up what it leaves behind. %s", err->message,
             execution->migration->name, err->hint);
    return true;
}

static bool look(struct execution *execution, bool is_next, struct error *err)
{
    return look_for_journal(execution, err) &&
           (execution->unfinished != NULL ||
            (contract_try(execution, err) && assertion_try(execution, is_next, err)));
}

static bool check_text(struct execution *execution, struct text *bytes, struct error *err)
{
    if (!prepare(execution, bytes, err))
        return execution_explain(execution, err);
    return check_pooled(execution, err) &&
           (execution->unfinished == NULL ||
            (resumable_check(execution, err) && half_done_check(execution, err)));
}

bool migration_check(struct execution *execution, struct text *bytes, struct error *err)
{
    bool is_right = check_text(execution, bytes, err);

    execution->is_for_burst = is_right && burst_takes(execution);
    execution->script = slice_of("");
    return is_right;
}

bool migration_rehearse(struct execution *execution, bool is_next, struct text *bytes, struct error *err)
{
    bool is_right = check_text(execution, bytes, err) &&
                    (look(execution, is_next, err) || execution_explain(execution, err));

    execution->script = slice_of("");
    return is_right;
}

/* An atomic migration is retried as one transaction; the other modes retry each of their transactions
 * themselves. */
static bool run(struct execution *execution, struct error *err)
{
    if (execution->mode != MODE_ATOMIC)
        return resumable_apply(execution, err);
    if (execution->early == NULL && !lock_retry_look_first(execution, 0, execution->summary.statements, err))
        return false;
    while (!atomic_apply(execution, err)) {
        if (execution->mode != MODE_ATOMIC)
            return resumable_apply(execution, err);
        if (!lock_retry(execution, err))
            return false;
    }
    return true;
}

bool migration_load(struct execution *execution, struct text *bytes, struct error *err)
{
    struct session_signs signs;

    if (!prepare(execution, bytes, err))
        return false;
    signs = session_signs_of(execution->script);
    execution->has_advisory = signs.is_advisory;
    execution->has_resets = signs.is_reset;
    if (execution->script.length < LARGE_BYTES)
        migration_note_gist(execution);
    return true;
}

void migration_note_gist(struct execution *execution)
{
    if (execution->host != NULL && execution->gist[0] == '\0')
        gist_of(execution->script, execution->ledger->has_standard_strings, execution->gist);
}

void migration_show(struct execution *execution)
{
    log_debug("applying %s, mode %s, %zu statement%s", execution->migration->name,
              MODE_NAMES[execution->mode], execution->summary.statements,
              text_plural(execution->summary.statements));
    execution->progress->current = execution->progress->latest = execution->migration->name;
    execution->progress->mode = MODE_NAMES[execution->mode];
    execution->progress->current_started_at = clock_wall_seconds();
    progress_enter(execution->progress, PROGRESS_APPLYING);
    execution->until = deadline_never();
    execution->watch->policy = &execution->lock_wait.policy;
}

/* The file may be another one by now. */
static void check_early(struct execution *execution)
{
    const struct early_failure *early = execution->early;

    if (early == NULL ||
        (execution->mode == MODE_ATOMIC && strcmp(early->checksum, execution->checksum) == 0))
        return;
    execution_roll_back_own(execution->conn);
    execution->early = NULL;
}

static bool apply(struct execution *execution, struct text *bytes, struct error *err)
{
    struct transaction_limit limit;
    bool is_applied;

    if (!migration_load(execution, bytes, err))
        return execution_explain(execution, err);
    check_early(execution);
    migration_show(execution);
    if (execution->unfinished == NULL &&
        (!contract_wait(execution, err) || !assertion_before(execution, err)))
        return execution_explain(execution, err);
    if (execution->timeout_ms > 0)
        execution->until = deadline_in(execution->timeout_ms);
    connection_cancel_at(execution->conn, execution->until, EXECUTION_LATE);
    is_applied = run(execution, err);
    connection_cancel_at(execution->conn, deadline_never(), NULL);
    if (execution->is_ended)
        transaction_limit_tell(execution, &limit, err);
    if (is_applied || execution_explain(execution, err))
        return true;
    if (execution->is_ended)
        transaction_limit_hint(execution, &limit, err);
    return false;
}

bool migration_apply(struct execution *execution, size_t before, struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    bool is_applied;

    execution->failure.names.before = before;
    is_applied = apply(execution, &bytes, err);
    if (is_applied)
        migration_note_gist(execution);
    /* What is found out about a failure after this is not in its text. */
    execution->script = slice_of("");
    return is_applied;
}

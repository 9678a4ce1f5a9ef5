#include "apply/resumable.h"

#include <stdio.h>
#include <string.h>

#include "apply/another_way.h"
#include "apply/migrate.h"
#include "apply/nontransactional.h"
#include "apply/segment_run.h"
#include "backfill/backfill.h"
#include "base/log.h"
#include "base/memory.h"
#include "execution/assertion.h"
#include "execution/checkpoint.h"
#include "execution/floor.h"
#include "execution/lock_retry.h"
#include "execution/session_state.h"
#include "history/attempts.h"
#include "history/journal.h"
#include "history/origin.h"
#include "lock/beacon.h"
#include "postgres/advisory.h"
#include "postgres/query.h"
#include "sql/persisted.h"
#include "sql/segment.h"

enum { SQL_MOST = 64 * 1024, NUMBER_SIZE = 24 };

enum { CLOSING_ITEMS_MOST = REGAIN_MOST + LEDGER_ITEMS_MOST + JOURNAL_FORGETTING + FLOOR_ITEMS_MOST };

/* Whether what the segment did outlives the session. */
static bool segment_has_effect(const struct execution *execution, const struct segment *segment,
                               struct script_reader *at)
{
    bool has_effect = false;
    struct statement statement;
    struct error ignored;

    for (size_t i = 0; i < segment->count && script_next(at, &statement, &ignored) == SCRIPT_STATEMENT; i++)
        has_effect |= !statement_is_setting(execution->script, &statement);
    if (segment->kind == SEGMENT_BLOCK && segment->closing.kind == KIND_ROLLBACK)
        return false;
    return has_effect;
}

/* Passes over what an earlier run has done. It may have begun the next statement as well: where that leaves
 * something behind, the intent says so, and nothing is clean until that was looked for. */
static void skip_done(struct execution *execution, struct script_reader *at)
{
    struct script_reader ahead;
    struct statement statement;
    struct error ignored;

    for (size_t i = 0; i < execution->course.resumed; i++) {
        if (script_next(at, &statement, &ignored) != SCRIPT_STATEMENT)
            return;
        execution->course.has_effect |= !statement_is_setting(execution->script, &statement);
    }
    if (execution->unfinished != NULL && execution->mode == MODE_BACKFILL) {
        execution->course.has_effect = true;
        text_copy_cut(execution->failure.names.persists, sizeof execution->failure.names.persists,
                      "What an earlier run of the backfill has changed persists");
    }
    ahead = *at;
    if (execution->unfinished != NULL && execution->mode != MODE_BACKFILL &&
        script_next(&ahead, &statement, &ignored) == SCRIPT_STATEMENT &&
        statement.kind == KIND_NONTRANSACTIONAL)
        nontransactional_note_earlier(execution);
}

/* A statement that an earlier run sent alone, because the server had refused it in a transaction, must not
 * be tried in one again: it may have been done. If a person has changed it since, it is another one; and what
 * the former may have left behind has to be settled. */
static bool recall(struct execution *execution, struct script_reader at, struct error *err)
{
    const struct journal journal = execution_journal(execution);
    size_t resumed = execution->course.resumed;
    auto_intent struct intent intent = { .is_known = false };
    struct statement statement;
    struct error ignored;
    bool is_there;

    if (execution->unfinished == NULL)
        return true;
    is_there = script_next(&at, &statement, &ignored) == SCRIPT_STATEMENT;
    if (!journal_read(&journal, execution->id, resumed, &intent, err))
        return false;
    execution->rules.has_refused = is_there && intent.is_known && intent.sql != NULL &&
                                   slice_equals(execution_text(execution, &statement), intent.sql);
    execution->rules.refused = resumed;
    return nontransactional_settle(execution, &intent, is_there ? &statement : NULL, err);
}

static bool run_segments(struct execution *execution, struct script_reader at, struct error *err)
{
    struct course *course = &execution->course;
    struct segment_reader segments;
    enum segment_answer answer;
    struct segment segment;

    if (!recall(execution, at, err))
        return false;
    segments = segment_reader_of(at, course->resumed, &execution->rules);
    while ((answer = segment_next(&segments, &segment, err)) == SEGMENT_FOUND) {
        if (!segment_run(execution, &segment,
                         execution->unfinished != NULL && segment.first == course->resumed, err)) {
            if (!another_way_for_segment(execution, &segment, err))
                return false;
            segments = segment_reader_of(at, segment.first, &execution->rules);
            continue;
        }
        course->has_effect |= segment_has_effect(execution, &segment, &at);
    }
    return answer == SEGMENT_END;
}

/* Records what is known, in case it fails from here on. */
static void note(struct execution *execution)
{
    struct failure *failure = &execution->failure;
    auto_text struct text list = text_init(SQL_MOST);

    failure->facts.has_effect = execution->course.has_effect;
    failure->names.done = execution->course.done;
    if (execution->course.done == 0)
        return;
    failure->names.lasting =
        persisted_add(execution->script, execution_reader(execution), execution->course.done, &list);
    text_copy_cut(failure->names.persists, sizeof failure->names.persists, list.at);
}

/* Lets a script that is corrected after this point resume here. A failure to write this is ignored. */
static void record_prefix(struct execution *execution, size_t done)
{
    const struct journal journal = execution_journal(execution);
    char prefix[SHA256_HEX_SIZE];
    auto_intent struct intent intent = { .is_known = false };
    struct error err;

    if (!execution_hash_prefix(execution, done, prefix, &err) ||
        !journal_record(&journal, &(const struct journal_entry) { execution->id, done, prefix, NULL },
                        &intent, &err))
        log_debug("could not record the script's progress: %s", err.message);
}

/* What is written about our row at the end of a run: the ledger's statement and, where nothing is to be
 * resumed, the end of what the journal has about it. All or nothing, in one round trip. */
static bool close_row(struct execution *execution, enum ledger_statement statement, const char *logs,
                      bool is_forgetting, struct error *err)
{
    char recorded[NUMBER_SIZE];
    char done[NUMBER_SIZE];
    char started[NUMBER_SIZE];
    const char *anchor = execution->ledger->anchor;
    const char *const row[ROW_VALUES] = {
        [ROW_ID] = execution->id, ROW_OF_MIGRATION(execution->migration),
        [ROW_LOGS] = logs,        [ROW_CHECKSUM] = execution->checksum,
        [ROW_BEFORE] = recorded,  [ROW_STEPS] = done,
        [ROW_STARTED] = started,  [ROW_ANCHOR] = anchor[0] == '\0' ? NULL : anchor,
    };
    const char *const parameters[] = { execution->id };
    struct ledger_parameters of_ledger;
    struct batch_item items[CLOSING_ITEMS_MOST];
    size_t count = execution_add_regain(execution, items);
    const struct journal journal = execution_journal(execution);
    bool has_journal = false;

    (void)snprintf(recorded, sizeof recorded, "%zu", execution->course.recorded);
    (void)snprintf(done, sizeof done, "%zu", execution->course.done);
    (void)snprintf(started, sizeof started, "%.3f", execution->progress->current_started_at);
    if ((is_forgetting && !journal_exists(&journal, &has_journal, err)) ||
        (statement == LEDGER_FINISH && !execution_prepare_floor(execution, err)))
        return false;
    count += ledger_add_items(execution->ledger, statement, row, &of_ledger, items + count);
    if (statement == LEDGER_FINISH)
        count += execution_add_floor(execution, items + count);
    for (size_t i = 0; has_journal && i < JOURNAL_FORGETTING; i++)
        items[count++] = (struct batch_item) { &JOURNAL_FORGET[i], parameters };
    return ledger_batch(execution->conn, execution->ledger,
                        &(const struct batch) { .items = items, .count = count, .cancellable = count }, row,
                        err);
}

/* Writes the failure into our row, which is marked as rolled back at once if nothing is left of it. A row
 * that is gone is written again: without it the next run would begin at the first statement. */
static void record_stop(struct execution *execution, bool is_partial, const struct error *failure)
{
    auto_text struct text logs = text_init(SQL_MOST);
    struct error err;

    text_add_string(&logs, failure->class == ERROR_INTERRUPTED ? LEDGER_INTERRUPTED : LEDGER_OURS);
    execution_failure_text(failure, &logs);
    if (close_row(execution, is_partial ? LEDGER_STOP : LEDGER_ROLL_BACK_ROW, logs.at, !is_partial, &err))
        return;
    if (is_partial && err.class == ERROR_REFUSED && !connection_is_lost(execution->conn)) {
        struct error ignored;

        if (close_row(execution, LEDGER_INSERT_STOPPED, logs.at, false, &ignored)) {
            log_warn("the ledger had no row for %s any more: wrote it again, with what is done",
                     execution->migration->name);
            return;
        }
    }
    log_warn("could not record the failure in the ledger: %s", err.message);
}

/* Whether the failure left something behind: then the row stays unfinished, and the next run resumes it. */
static bool is_partial(const struct failure_facts *facts, const struct error *err)
{
    return facts->has_effect || facts->leftover != LEFTOVER_NOTHING || err->class == ERROR_PARTIAL;
}

static bool stop(struct execution *execution, struct error *err)
{
    struct failure_facts *facts = &execution->failure.facts;

    /* What follows must not be cancelled because the time is over. */
    connection_cancel_at(execution->conn, deadline_never(), NULL);
    note(execution);
    execution_roll_back(execution->conn);
    if (err->class == ERROR_LOST || !execution_revive(execution, err))
        return false;
    facts->is_rolled_back = true;
    execution_judge(execution, err);
    if (err->class == ERROR_LEADER || err->class == ERROR_UNREACHABLE || err->class == ERROR_READ_ONLY)
        return false;
    record_stop(execution, is_partial(facts, err), err);
    facts->is_stuck = facts->has_effect && session_state_is_lost(execution, execution->failure.names.stuck,
                                                                 sizeof execution->failure.names.stuck);
    if ((err->class == ERROR_PARTIAL || err->class == ERROR_HELD_UP) && execution->mode != MODE_BACKFILL)
        record_prefix(execution, execution->course.done);
    return false;
}

/* The statements that were done must have the same text, or resuming in the middle would be a guess. For a
 * backfill, the statement itself must be the same. */
bool resumable_check(const struct execution *execution, struct error *err)
{
    const struct journal journal = { .conn = execution->conn, .ledger_schema = execution->ledger->schema };
    const struct ledger_row *row = execution->unfinished;
    const size_t done = (size_t)row->steps;
    char prefix[SHA256_HEX_SIZE];
    auto_intent struct intent intent = { .is_known = false };

    if (row->checksum != NULL && strcmp(row->checksum, execution->checksum) == 0)
        return true;
    if (!journal_read(&journal, row->id, done, &intent, err) ||
        !execution_hash_prefix(execution, execution->mode == MODE_BACKFILL ? 1 : done, prefix, err))
        return false;
    if (intent.is_known && strcmp(intent.prefix, prefix) == 0)
        return true;
    error_set(err, ERROR_REFUSED, "migration \"%s\" was half applied, and its script has been changed since",
              execution->migration->name);
    error_code(err, execution->ledger->dialect->codes.unresolved);
    error_cause(err, CAUSE_UNRESOLVED);
    if (execution->mode == MODE_BACKFILL)
        error_holds(err, "What the backfill of the former script has changed persists.");
    else if (done == 0)
        error_holds(err, "No statement of the former script is known to persist.");
    else if (done == 1)
        error_holds(err, "Of the former script, the first statement persisted.");
    else
        error_holds(err, "Of the former script, the first %zu statements persisted.", done);
    return error_hint(
        err,
        "Deploy the former script to resume, or undo by hand what persists and type: tidelock resolve "
        "--rolled-back \"%s\"",
        execution->migration->name);
}

static void log_resuming(const struct execution *execution)
{
    const char *name = execution->migration->name;
    size_t statements = execution->summary.statements;
    size_t resumed = execution->course.resumed;

    if (resumed < statements)
        log_info("%s was interrupted: resuming at statement %zu of %zu", name, resumed + 1, statements);
    else
        log_info("%s was interrupted after its last statement: what is left is to check and record it", name);
}

static bool start_row(struct execution *execution, struct error *err)
{
    const struct ledger *ledger = execution->ledger;
    struct course *course = &execution->course;
    char before[NUMBER_SIZE];
    const char *row[ROW_VALUES] = { [ROW_ID] = execution->id,
                                    [ROW_CHECKSUM] = execution->checksum,
                                    ROW_OF_MIGRATION(execution->migration),
                                    [ROW_LOGS] = LEDGER_RUNNING,
                                    [ROW_ANCHOR] = ledger->anchor[0] == '\0' ? NULL : ledger->anchor };

    if (!attempts_open(execution->conn, execution->ledger, err))
        return false;
    if (execution->unfinished == NULL) {
        random_uuid(execution->id);
        return ledger_write(execution->conn, ledger, LEDGER_INSERT_STARTED, row, err);
    }
    text_copy_cut(execution->id, sizeof execution->id, execution->unfinished->id);
    course->resumed = (size_t)execution->unfinished->steps;
    course->done = course->recorded = course->resumed;
    if (!resumable_check(execution, err))
        return false;
    if (execution->lock_wait.retry.tries == 0)
        log_resuming(execution);
    (void)snprintf(before, sizeof before, "%zu", course->resumed);
    row[ROW_BEFORE] = before;
    return ledger_write(execution->conn, ledger, LEDGER_RESUME, row, err);
}

static bool set_session(struct execution *execution, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);
    struct session_settings settings = execution->settings;

    execution->lock_wait.lock_timeout_ms = retry_lock_timeout_ms(&execution->lock_wait.retry, WAIT_TABLE);
    settings.lock_timeout_ms = execution->lock_wait.lock_timeout_ms;
    settings.transaction_timeout_ms = execution_server_limit_ms(execution);
    if (execution->is_session_used)
        session_cleanup_add(&sql);
    session_settings_add(&settings, false, &sql);
    text_add_string(&sql, "SELECT ");
    beacon_add(execution->beacon, execution->migration->name, &sql);
    if (!query_several(execution->conn, &(const struct query) { .name = "settings", .sql = sql.at }, NULL, 0,
                       err))
        return false;
    beacon_lit(execution->beacon, execution->migration->name);
    return true;
}

/* A backfill is one statement in many batches. */
static bool run(struct execution *execution, struct script_reader at, struct error *err)
{
    if (execution->mode != MODE_BACKFILL)
        return run_segments(execution, at, err);
    if (execution->course.resumed > 0)
        return true;
    return backfill_run(execution, &execution->course.has_effect, err) &&
           checkpoint_record(execution, 1, err);
}

/* All or nothing: a finished row leaves nothing in the journal. What is done already is not done again
 * because the ledger is locked: only this is repeated. */
static bool finish(struct execution *execution, struct error *err)
{
    for (;;) {
        bool was_shielded =
            connection_shield(execution->conn, true); /* a signal leaves it the time it needs */
        bool is_done;

        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
        is_done = close_row(execution, LEDGER_FINISH, NULL, true, err);
        watch_stop(execution->watch);
        connection_shield(execution->conn, was_shielded);
        if (is_done)
            return true;
        if (!lock_retry(execution, err))
            return error_context(err, "finishing %s", execution->migration->name);
    }
}

static void record_origin(struct execution *execution)
{
    const struct journal journal = execution_journal(execution);
    const struct origin origin = { .ledger_id = execution->id,
                                   .host = execution->host,
                                   .version = execution->progress->build.version,
                                   .release = execution->release,
                                   .gist = execution->gist };

    migration_note_gist(execution);
    if (execution->host != NULL)
        origin_record(&journal, &origin);
}

/* The ledger may be locked. */
static bool start(struct execution *execution, struct error *err)
{
    bool is_started;

    execution->lock_wait.retry.tries = 0;
    do {
        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
        is_started =
            execution_set_lock_timeout(execution, WAIT_TABLE, false, err) && start_row(execution, err);
        watch_stop(execution->watch);
    } while (!is_started && lock_retry(execution, err));
    if (is_started)
        record_origin(execution);
    return is_started || error_context(err, "starting %s", execution->migration->name);
}

bool resumable_apply(struct execution *execution, struct error *err)
{
    struct script_reader at = execution_reader(execution);
    bool is_applied;

    if (!set_session(execution, err) || !start(execution, err))
        return false;
    execution->failure.facts.has_begun = true;
    skip_done(execution, &at);
    is_applied = session_state_begin(execution, err) && run(execution, at, err) &&
                 assertion_after(execution, err) && finish(execution, err);
    if (!is_applied)
        (void)stop(execution, err);
    memory_free(execution->baseline);
    execution->baseline = NULL;
    return is_applied;
}

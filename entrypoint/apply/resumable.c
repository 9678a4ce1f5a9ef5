#include "apply/resumable.h"

#include <string.h>

#include "apply/another_way.h"
#include "apply/segment_run.h"
#include "backfill/backfill.h"
#include "base/log.h"
#include "execution/assertion.h"
#include "execution/checkpoint.h"
#include "execution/lock_retry.h"
#include "history/journal.h"
#include "lock/leader.h"
#include "postgres/query.h"
#include "sql/segment.h"

enum { SQL_MOST = 64 * 1024, LISTED_MOST = 8 };

/* The progress. */
struct course {
    size_t done;     /* statements, including those of rolled-back blocks */
    size_t resumed;  /* … of them by an earlier run */
    bool has_effect; /* something done so far persists: more than settings */
};

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

/* Skips what an earlier run has done. The session is new, so settings from that part are applied again. */
static bool skip_done(struct execution *execution, struct course *course, struct script_reader *at,
                      struct error *err)
{
    struct statement statement;

    for (size_t i = 0; i < course->resumed; i++) {
        bool is_setting;

        if (script_next(at, &statement, err) != SCRIPT_STATEMENT)
            return false;
        is_setting = statement_is_setting(execution->script, &statement);
        course->has_effect |= !is_setting;
        if (is_setting && !execution_send(execution, statement.start, statement.end, i, err))
            return false;
    }
    return true;
}

/* A statement that an earlier run sent alone, because the server had refused it in a transaction, must not
 * be tried in one again: it may have been done. If a person has changed it since, it is another one. */
static bool recall_refused(struct execution *execution, const struct course *course, struct script_reader at,
                           struct error *err)
{
    const struct journal journal = execution_journal(execution);
    auto_intent struct intent intent = { .is_known = false };
    struct statement statement;
    struct error ignored;

    if (execution->unfinished == NULL || script_next(&at, &statement, &ignored) != SCRIPT_STATEMENT)
        return true;
    if (!journal_read(&journal, execution->id, course->resumed, &intent, err))
        return false;
    execution->rules.has_refused = intent.is_known && intent.sql != NULL &&
                                   slice_equals(execution_text(execution, &statement), intent.sql);
    execution->rules.refused = course->resumed;
    return true;
}

static bool run_segments(struct execution *execution, struct course *course, struct error *err)
{
    struct script_reader at = execution_reader(execution);
    struct segment_reader segments;
    enum segment_answer answer;
    struct segment segment;

    if (!skip_done(execution, course, &at, err) || !recall_refused(execution, course, at, err))
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
        course->done = segment.first + segment.count;
    }
    return answer == SEGMENT_END;
}

/* The first lines of what persists, for the error message. */
static void list_persisted(const struct execution *execution, size_t done, struct text *out)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    struct error ignored;

    for (size_t i = 0; i < done && script_next(&reader, &statement, &ignored) == SCRIPT_STATEMENT; i++) {
        const char *text = execution->script.at + statement.start;
        size_t length = strcspn(text, "\r\n");

        if (length > statement.end - statement.start)
            length = statement.end - statement.start;
        if (done > LISTED_MOST && i == LISTED_MOST / 2)
            text_add_format(out, "; … (%zu more)", done - LISTED_MOST);
        if (done <= LISTED_MOST || i < LISTED_MOST / 2 || i >= done - LISTED_MOST / 2)
            text_add_format(out, "%s line %zu: %.*s", out->length == 0 ? "" : ";", statement.line,
                            (int)(length > 60 ? 60 : length), text);
    }
}

/* Records what is known, in case it fails from here on. */
static void note(struct execution *execution, const struct course *course)
{
    struct failure *failure = &execution->failure;
    auto_text struct text list = text_init(SQL_MOST);

    failure->facts.has_effect = course->has_effect;
    failure->names.done = course->done;
    if (course->done == 0)
        return;
    list_persisted(execution, course->done, &list);
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

/* Something that was rolled back is not resumed. */
static void forget(const struct execution *execution)
{
    const struct journal journal = execution_journal(execution);
    const char *const parameters[] = { execution->id };
    struct batch_item items[JOURNAL_TABLES];
    struct error err = { .class = ERROR_NONE };
    bool exists = false;

    for (size_t i = 0; i < JOURNAL_TABLES; i++)
        items[i] = (struct batch_item) { &JOURNAL_FORGET[i], parameters };
    if (!journal_exists(&journal, &exists, &err) ||
        (exists && !query_batch(execution->conn,
                                &(const struct batch) {
                                    .items = items, .count = JOURNAL_TABLES, .cancellable = JOURNAL_TABLES },
                                &err)))
        log_debug("could not delete the intents: %s", err.message);
}

/* Writes the failure into our row, which is marked as rolled back at once if nothing is left of it. */
static void record_stop(struct execution *execution, bool is_partial, const struct error *failure)
{
    static const struct query end = { .name = "commit", .sql = "COMMIT" };
    auto_text struct text logs = text_init(SQL_MOST);
    enum ledger_statement statement = is_partial ? LEDGER_STOP : LEDGER_ROLL_BACK_ROW;
    struct error err;

    text_add_string(&logs, LEDGER_OURS);
    execution_failure_text(failure, &logs);
    const char *const written[ROW_VALUES] = { [ROW_ID] = execution->id, [ROW_LOGS] = logs.at };
    if (execution_reset_session(execution, &err) && execution_begin_own(execution, &err) &&
        ledger_write(execution->conn, execution->ledger, statement, written, &err) &&
        query_run(execution->conn, &end, NULL, NULL, &err))
        return;
    log_warn("could not record the failure in the ledger: %s", err.message);
    execution_roll_back(execution->conn);
}

/* Whether the failure left something behind: then the row stays unfinished, and the next run resumes it. */
static bool is_partial(const struct failure_facts *facts, const struct error *err)
{
    return facts->has_effect || facts->leftover != LEFTOVER_NOTHING || err->class == ERROR_PARTIAL;
}

static bool stop(struct execution *execution, const struct course *course, struct error *err)
{
    struct failure_facts *facts = &execution->failure.facts;

    note(execution, course);
    execution_roll_back(execution->conn);
    if (err->class == ERROR_LOST || !execution_revive(execution, err))
        return false;
    facts->is_rolled_back = true;
    execution_judge(execution, err);
    if (err->class == ERROR_LEADER || err->class == ERROR_UNREACHABLE)
        return false;
    record_stop(execution, is_partial(facts, err), err);
    if (!is_partial(facts, err))
        forget(execution);
    else if (err->class == ERROR_PARTIAL && execution->mode != MODE_BACKFILL)
        record_prefix(execution, course->done);
    return false;
}

/* The statements that were done must have the same text, or resuming in the middle would be a guess. For a
 * backfill, the statement itself must be the same. */
static bool check_resumable(struct execution *execution, size_t done, struct error *err)
{
    const struct journal journal = execution_journal(execution);
    char prefix[SHA256_HEX_SIZE];
    auto_intent struct intent intent = { .is_known = false };
    const struct ledger_row *row = execution->unfinished;

    if (row->checksum != NULL && strcmp(row->checksum, execution->checksum) == 0)
        return true;
    if (!journal_read(&journal, execution->id, done, &intent, err) ||
        !execution_hash_prefix(execution, execution->mode == MODE_BACKFILL ? 1 : done, prefix, err))
        return false;
    if (intent.is_known && strcmp(intent.prefix, prefix) == 0)
        return true;
    error_set(err, ERROR_REFUSED, "migration \"%s\" was half applied, and its script has been changed since",
              execution->migration->name);
    error_code(err, execution->ledger->dialect->codes.unresolved);
    if (done == 0)
        error_holds(err, "No statement of the former script is known to persist.");
    else
        error_holds(err, "Of the former script, the first %zu statement%s persisted.", done,
                    text_plural(done));
    return error_hint(
        err,
        "Deploy the former script to resume, or undo by hand what persists and type: tidelock resolve "
        "--rolled-back \"%s\"",
        execution->migration->name);
}

static bool start_row(struct execution *execution, struct course *course, struct error *err)
{
    static const char running[] = LEDGER_OURS "running";
    const char *const row[ROW_VALUES] = { [ROW_ID] = execution->id,
                                          [ROW_CHECKSUM] = execution->checksum,
                                          [ROW_NAME] = execution->migration->name,
                                          [ROW_LOGS] = running };

    if (execution->unfinished == NULL) {
        random_uuid(execution->id);
        return ledger_write(execution->conn, execution->ledger, LEDGER_INSERT_STARTED, row, err);
    }
    text_copy_cut(execution->id, sizeof execution->id, execution->unfinished->id);
    course->resumed = (size_t)execution->unfinished->steps;
    course->done = course->resumed;
    if (!check_resumable(execution, course->resumed, err))
        return false;
    log_info("%s was interrupted: resuming at statement %zu of %zu", execution->migration->name,
             course->resumed + 1, execution->summary.statements);
    return ledger_write(execution->conn, execution->ledger, LEDGER_RESUME, row, err);
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
    return query_several(execution->conn, &(const struct query) { .name = "settings", .sql = sql.at }, NULL,
                         0, err);
}

/* All or nothing: a finished row leaves no intents behind. */
static bool finish_once(struct execution *execution, struct error *err)
{
    const struct journal journal = execution_journal(execution);
    const char *const row[ROW_VALUES] = { [ROW_ID] = execution->id };
    const char *const parameters[] = { execution->id };
    const char *finished[ROW_VALUES];
    struct batch_item items[RESETS_MOST + 2 + JOURNAL_TABLES];
    size_t count = execution_add_resets(execution, items);
    bool has_journal;
    bool is_ours;

    items[count++] = execution_add_limits(execution);
    items[count++] = ledger_item(execution->ledger, LEDGER_FINISH, row, finished);
    if (!journal_exists(&journal, &has_journal, err))
        return error_context(err, "finishing %s", execution->migration->name);
    for (size_t i = 0; has_journal && i < JOURNAL_TABLES; i++)
        items[count++] = (struct batch_item) { &JOURNAL_FORGET[i], parameters };
    if (!query_batch(execution->conn,
                     &(const struct batch) { .items = items, .count = count, .cancellable = count }, err) ||
        !leader_is_ours(execution->conn, execution->ledger->lock_key, &is_ours, err))
        return error_context(err, "finishing %s", execution->migration->name);
    return is_ours || execution_lost_leader(err);
}

static bool finish(struct execution *execution, struct error *err)
{
    for (;;) {
        bool is_done;

        connection_shield(execution->conn, true); /* a signal leaves it the time that it needs */
        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
        is_done = finish_once(execution, err);
        watch_stop(execution->watch);
        connection_shield(execution->conn, false);
        if (is_done)
            return true;
        if (!lock_retry(execution, err))
            return false;
    }
}

/* A backfill is one statement in many batches. */
static bool run(struct execution *execution, struct course *course, struct error *err)
{
    if (execution->mode != MODE_BACKFILL)
        return run_segments(execution, course, err);
    if (course->resumed > 0)
        return true;
    return backfill_run(execution, &course->has_effect, err) && checkpoint_record(execution, 1, err);
}

bool resumable_apply(struct execution *execution, struct error *err)
{
    struct course course = { .done = 0 };
    bool is_started;

    watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
    is_started = start_row(execution, &course, err);
    watch_stop(execution->watch);
    if (!is_started)
        return error_context(err, "starting %s", execution->migration->name);
    execution->failure.facts.has_begun = true;
    if (!set_session(execution, err) || !run(execution, &course, err) || !assertion_after(execution, err))
        return stop(execution, &course, err);
    note(execution, &course);
    return finish(execution, err);
}

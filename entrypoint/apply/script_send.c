#include "apply/script_send.h"

#include <string.h>

#include "apply/migrate.h"
#include "base/memory.h"
#include "postgres/query.h"

enum { END_MOST = 1024, PIECE_BYTES = 1024 * 1024 };

bool script_is_all_data(const struct execution *execution)
{
    return execution->summary.data > 0 && execution->summary.data == execution->summary.statements;
}

void script_say_deferred(struct error *err)
{
    err->contexts = 0;
    error_context(err, "checking deferred constraints and triggers at the end of the script");
}

bool script_fail_at_end(struct execution *execution, size_t start, size_t first, size_t completed,
                        struct error *err)
{
    const struct slice *script = &execution->script;

    if (first + completed >= execution->summary.statements)
        script_say_deferred(err);
    /* It breaks off, and the server has found ours there. */
    if (strcmp(err->sqlstate, "42601") == 0 &&
        err->position > utf8_count(script->at + start, script->length - start))
        error_message(err, "syntax error at end of input");
    return execution_failed_at(execution, start, first, completed, err);
}

/* Sends the end of the script, from byte `start` and statement number `first` on. With it, deferred
 * constraints and triggers fire, while the script's own settings and role are still in force. */
static bool send_end(struct execution *execution, size_t start, size_t first, struct error *err)
{
    const struct slice *script = &execution->script;
    auto_text struct text sql = text_init(script->length - start + END_MOST);
    size_t completed;

    if (execution_sends_guarded(execution)) {
        if (!execution_send(execution, start, script->length, first, err))
            return false;
        start = script->length;
        first = execution->summary.statements;
    }
    text_reserve(&sql, script->length - start + END_MOST);
    text_add(&sql, script->at + start, script->length - start);
    text_add_format(&sql, "\n;%s", SESSION_CONSTRAINTS.sql);
    if (query_script(execution->conn, sql.at, &completed, err))
        return true;
    return script_fail_at_end(execution, start, first, completed, err);
}

/* A script on its way in pieces: the one before byte `start` may still be worked on. */
struct course_of_pieces {
    size_t start; /* of the piece that is looked for … */
    size_t first; /* … and the number of its first statement */
    bool is_sent; /* the piece before it, whose answer has not been read: … */
    size_t sent_start;
    size_t sent_first;
};

static bool wait_for_piece(struct execution *execution, struct course_of_pieces *pieces, struct error *err)
{
    size_t completed;

    if (!pieces->is_sent)
        return true;
    pieces->is_sent = false;
    return query_script_finish(execution->conn, &completed, err) ||
           execution_failed_at(execution, pieces->sent_start, pieces->sent_first, completed, err);
}

/* Sends what comes before byte `end`, where statement `number` begins: the next piece is looked for while the
 * server works on this one. */
static bool send_piece(struct execution *execution, struct course_of_pieces *pieces, size_t end,
                       size_t number, struct error *err)
{
    auto_free char *piece = memory_copy(execution->script.at + pieces->start, end - pieces->start);
    size_t start = pieces->start;
    size_t first = pieces->first;

    pieces->start = end;
    pieces->first = number;
    if (!wait_for_piece(execution, pieces, err))
        return false;
    if (execution_sends_guarded(execution))
        return execution_send(execution, start, end, first, err);
    if (!query_script_start(execution->conn, piece, err))
        return execution_failed_at(execution, start, first, 0, err);
    migration_note_gist(execution);
    pieces->is_sent = true;
    pieces->sent_start = start;
    pieces->sent_first = first;
    return true;
}

/* Sends a script in pieces of whole statements; inside our transaction the result is the same as in one. In
 * one message libpq would hold two copies of a large one, and the server would parse all of it before it ran
 * the first statement. Also, statements that wait for tables and those that wait for rows have different lock
 * timeouts. */
static bool send_pieces(struct execution *execution, const struct transaction_head *head, struct error *err)
{
    struct script_reader reader = execution_reader(execution);
    struct course_of_pieces pieces = { .start = head->rest, .first = head->statements };
    struct statement statement = { .start = 0 };
    enum script_answer answer;
    enum retry_wait now = execution_wait_of(execution, script_is_all_data(execution));
    bool has_locked = false;

    for (size_t number = 0; (answer = script_next(&reader, &statement, err)) == SCRIPT_STATEMENT; number++) {
        enum retry_wait wait = execution_wait_of(execution, statement.is_data && !has_locked);

        if (number < head->statements)
            continue;
        has_locked |= !statement.is_data;
        if (number > pieces.first && (wait != now || statement.start - pieces.start > PIECE_BYTES) &&
            !send_piece(execution, &pieces, statement.start, number, err))
            return false;
        if (wait == now)
            continue;
        if (!wait_for_piece(execution, &pieces, err) ||
            !execution_set_lock_timeout(execution, wait, true, err))
            return false;
        execution_expect(execution, wait);
        now = wait;
    }
    return wait_for_piece(execution, &pieces, err) && answer == SCRIPT_END &&
           send_end(execution, pieces.start, pieces.first, err);
}

bool script_changes_wait(const struct execution *execution)
{
    struct script_reader reader = execution_reader(execution);
    struct statement first;
    struct error ignored;

    return execution->summary.data > 0 && !script_is_all_data(execution) &&
           script_next(&reader, &first, &ignored) == SCRIPT_STATEMENT && first.is_data;
}

bool script_send(struct execution *execution, const struct transaction_head *head, struct error *err)
{
    if (script_changes_wait(execution) || execution->script.length > PIECE_BYTES)
        return send_pieces(execution, head, err);
    return send_end(execution, head->rest, head->statements, err);
}

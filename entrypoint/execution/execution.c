#include "execution/execution.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/signals.h"
#include "execution/circumstance.h"
#include "execution/failure_blockers.h"
#include "execution/failure_text.h"
#include "execution/ledger_mention.h"
#include "execution/session_state.h"
#include "postgres/advisory.h"
#include "postgres/query.h"
#include "postgres/sqlstate.h"
#include "postgres/writable.h"
#include "sql/session_statement.h"

enum { NUMBER_SIZE = 24, ROLLBACK_MS = 10 * 1000, SERVER_GRACE_MS = 10 * 1000 };

struct journal execution_journal(const struct execution *execution)
{
    return (struct journal) { .conn = execution->conn,
                              .ledger_schema = execution->ledger->schema,
                              .key = execution->ledger->lock_key };
}

struct script_reader execution_reader(const struct execution *execution)
{
    return script_reader_of(execution->migration->script_path, execution->script,
                            connection_server_version(execution->conn),
                            execution->ledger->has_standard_strings);
}

struct slice execution_text(const struct execution *execution, const struct statement *statement)
{
    return statement_text(execution->script, statement);
}

bool execution_point(const struct execution *execution, size_t offset, struct error *err)
{
    return error_point(err, execution->migration->script_path, execution->script.at, execution->script.length,
                       offset);
}

/* Where statement `number` of the script begins. */
static bool statement_offset(const struct execution *execution, size_t number, size_t *offset)
{
    struct script_reader reader = execution_reader(execution);
    struct statement statement;
    struct error ignored;

    do {
        if (script_next(&reader, &statement, &ignored) != SCRIPT_STATEMENT)
            return false;
    } while (number-- > 0);
    *offset = statement.start;
    return true;
}

bool execution_point_at(const struct execution *execution, size_t number, struct error *err)
{
    size_t offset;

    return statement_offset(execution, number, &offset) && execution_point(execution, offset, err);
}

/* Which migration it was, whatever failed on its behalf: a query of ours knows nothing of it. */
static bool name_migration(const struct execution *execution, struct error *err)
{
    const char *name = execution->migration->name;
    auto_text struct text quoted = text_init(sizeof err->message);

    text_add_format(&quoted, "\"%s\"", name);
    if (strstr(err->message, quoted.at) != NULL)
        return false;
    if (err->class != ERROR_LOST && err->class != ERROR_INTERRUPTED && err->class != ERROR_LEADER) {
        if (err->code[0] == '\0')
            error_code(err, execution->ledger->dialect->codes.failed);
        return error_message(err, "%smigration %s failed: %s",
                             execution->migration->is_inverse ? "the inverse of " : "", quoted.at,
                             err->message);
    }
    for (int i = 0; i < err->contexts; i++) {
        if (strstr(err->context[i], name) != NULL)
            return false;
    }
    return error_context(err, "%s %s", execution->migration->is_inverse ? "rolling back" : "applying", name);
}

bool execution_failed_at(struct execution *execution, size_t start, size_t first, size_t completed,
                         struct error *err)
{
    size_t offset;
    bool is_known = true;

    execution->failed_statement = first + completed;
    if (err->class == ERROR_LOST || err->class == ERROR_INTERRUPTED || err->class == ERROR_LEADER)
        return name_migration(execution, err);
    if (err->position > 0)
        offset = start + utf8_offset(execution->script.at + start, execution->script.length - start,
                                     err->position - 1);
    else
        is_known = statement_offset(execution, first + completed, &offset);
    if (is_known)
        execution_point(execution, offset, err);
    return name_migration(execution, err);
}

static bool send(struct execution *execution, size_t start, size_t end, size_t first, struct error *err)
{
    auto_free char *piece = memory_copy(execution->script.at + start, end - start);
    size_t completed;

    if (!query_script(execution->conn, piece, &completed, err))
        return execution_failed_at(execution, start, first, completed, err);
    return true;
}

/* A piece of the script, up to the end of a statement. */
struct piece {
    size_t start;
    size_t end;
    size_t first; /* number of its first statement … */
    size_t last;  /* … and of its last */
};

/* What takes our own settings away is followed by setting them again. */
static bool send_piece(struct execution *execution, const struct piece *piece, struct slice last,
                       struct error *err)
{
    struct observer *observer = connection_is_in_transaction(execution->conn) ? execution->observer : NULL;
    bool is_seen = observer == NULL || observer->before(observer, execution->conn, piece->last, err);

    if (is_seen && !send(execution, piece->start, piece->end, piece->first, err))
        return false;
    if (!is_seen || (observer != NULL && !observer->after(observer, execution->conn, piece->last, err)))
        return execution_failed_at(execution, piece->start, piece->first, piece->last - piece->first, err);
    return !session_statement_is_reset(last) || session_state_reinstate(execution, last, err);
}

/* A piece ends with each statement that is looked at, or that takes our own settings away. */
static bool send_guarded(struct execution *execution, size_t start, size_t end, size_t first,
                         struct error *err)
{
    struct script_reader reader = script_reader_of(
        execution->migration->script_path, (struct slice) { execution->script.at + start, end - start },
        connection_server_version(execution->conn), execution->ledger->has_standard_strings);
    struct piece piece = { .start = start, .first = first };
    struct statement statement;

    for (size_t number = first; script_next(&reader, &statement, err) == SCRIPT_STATEMENT; number++) {
        statement.start += start;
        statement.end += start;
        if (execution->observer == NULL && !session_statement_is_reset(execution_text(execution, &statement)))
            continue;
        piece.end = statement.end;
        piece.last = number;
        if (!send_piece(execution, &piece, execution_text(execution, &statement), err))
            return false;
        piece.start = piece.end;
        piece.first = number + 1;
        while (piece.start < end && execution->script.at[piece.start] != ';')
            piece.start++;
        piece.start += piece.start < end;
    }
    return piece.start >= end || send(execution, piece.start, end, piece.first, err);
}

bool execution_sends_guarded(const struct execution *execution)
{
    return execution->has_resets || execution->observer != NULL;
}

bool execution_send(struct execution *execution, size_t start, size_t end, size_t first, struct error *err)
{
    return execution_sends_guarded(execution) ? send_guarded(execution, start, end, first, err)
                                              : send(execution, start, end, first, err);
}

enum retry_wait execution_wait_of(const struct execution *execution, bool is_data)
{
    return is_data && !execution->lock_wait.locks_tables ? WAIT_ROWS : WAIT_TABLE;
}

void execution_expect(const struct execution *execution, enum retry_wait wait)
{
    watch_expect_rows(execution->watch, wait == WAIT_ROWS && execution->lock_wait.retry.lock_timeout_ms == 0);
}

bool execution_set_lock_timeout(struct execution *execution, enum retry_wait wait, bool is_local,
                                struct error *err)
{
    static const struct query set = {
        .name = "set_lock_timeout",
        .parameters = 3,
        .sql =
            "SELECT pg_catalog.set_config('lock_timeout', $1, $3::boolean) FROM pg_catalog.pg_settings"
            " WHERE name OPERATOR(pg_catalog.=) 'lock_timeout' AND setting OPERATOR(pg_catalog.=) $2",
    };
    int64_t ms = retry_lock_timeout_ms(&execution->lock_wait.retry, wait);
    char now[NUMBER_SIZE];
    char before[NUMBER_SIZE];
    const char *const parameters[] = { now, before, is_local ? "true" : "false" };

    if (ms == execution->lock_wait.lock_timeout_ms)
        return true;
    (void)snprintf(now, sizeof now, "%lld", (long long)ms);
    (void)snprintf(before, sizeof before, "%lld", (long long)execution->lock_wait.lock_timeout_ms);
    execution->lock_wait.lock_timeout_ms = ms;
    return query_run(execution->conn, &set, parameters, NULL, err);
}

void execution_failure_text(const struct error *err, struct text *out)
{
    text_add_string(out, err->message);
    if (err->sqlstate[0] != '\0')
        text_add_format(out, " (SQLSTATE %s)", err->sqlstate);
    if (err->place.line > 0)
        text_add_format(out, "\nat line %zu, column %zu", err->place.line, err->place.column);
    if (err->detail[0] != '\0')
        text_add_format(out, "\ndetail: %s", err->detail);
    redact(out->at);
}

static const struct query RESET_AUTHORIZATION = { .name = "reset_session_authorization",
                                                  .sql = "RESET SESSION AUTHORIZATION" };
static const struct query RESET_ROLE = { .name = "reset_role", .sql = "RESET ROLE" };
static const struct query RESET_SETTINGS = { .name = "reset_settings", .sql = "RESET ALL" };

/* $2 and $3 of those that set limits; $1 is the leader lock's key. */
static const char *const *fill_limits(struct execution *execution)
{
    struct own_limits *own = &execution->own_limits;

    (void)snprintf(own->lock_timeout, sizeof own->lock_timeout, "%lld",
                   (long long)retry_lock_timeout_ms(&execution->lock_wait.retry, WAIT_TABLE));
    own->parameters[0] = execution->ledger->lock_key;
    own->parameters[1] = own->lock_timeout;
    own->parameters[2] = execution->settings.can_check_connection ? "true" : "false";
    return own->parameters;
}

struct batch_item execution_add_limits(struct execution *execution)
{
    static const struct query limits = {
        .name = "own_limits",
        .parameters = 2,
        .sql = "SELECT " SESSION_LIMITS_LIST("$1", "$2"),
    };

    return (struct batch_item) { .query = &limits, .parameters = fill_limits(execution) + 1 };
}

size_t execution_add_regain(struct execution *execution, struct batch_item items[REGAIN_MOST])
{
    size_t count = 0;

    items[count++] = (struct batch_item) { .query = &RESET_AUTHORIZATION };
    items[count++] = (struct batch_item) { .query = &RESET_ROLE };
    items[count++] = (struct batch_item) { .query = &RESET_SETTINGS };
    for (size_t i = 0; execution->is_pooled && i < SESSION_CLEANUPS; i++)
        items[count++] = (struct batch_item) { .query = &SESSION_CLEANUP[i] };
    items[count++] = execution->is_pooled ? execution_add_limits(execution)
                                          : (struct batch_item) { .query = &ADVISORY_REGAIN,
                                                                  .parameters = fill_limits(execution) };
    return count;
}

int64_t execution_server_limit_ms(const struct execution *execution)
{
    if (execution->timeout_ms <= 0 || connection_server_version(execution->conn) < 170000)
        return 0;
    return deadline_left_ms(execution->until) + SERVER_GRACE_MS;
}

bool execution_begin_own(struct execution *execution, struct error *err)
{
    static const struct query begin = { .name = "begin", .sql = "BEGIN" };
    const struct batch_item items[] = { { .query = &begin }, execution_add_limits(execution) };

    return query_batch(execution->conn,
                       &(const struct batch) {
                           .items = items, .count = array_length(items), .cancellable = array_length(items) },
                       err);
}

bool execution_revive(struct execution *execution, const struct error *err)
{
    struct connection *other;

    if (!connection_is_lost(execution->conn))
        return true;
    execution->is_ended = strcmp(err->sqlstate, "25P04") == 0;
    if (!execution->is_ended || execution->reconnect == NULL)
        return false;
    other = execution->reconnect(execution->context);
    if (other == NULL)
        return false;
    execution->conn = other;
    return true;
}

bool execution_hash_prefix(const struct execution *execution, size_t count, char hex[SHA256_HEX_SIZE],
                           struct error *err)
{
    struct script_reader reader = execution_reader(execution);
    struct sha256 sha256;
    unsigned char digest[SHA256_BYTES];
    struct statement statement;
    enum script_answer answer = SCRIPT_STATEMENT;

    sha256_begin(&sha256);
    while (count-- > 0 && (answer = script_next(&reader, &statement, err)) == SCRIPT_STATEMENT) {
        struct slice text = execution_text(execution, &statement);

        sha256_add(&sha256, text.at, text.length);
        sha256_add(&sha256, ";", 1);
    }
    sha256_end(&sha256, digest);
    sha256_hex(digest, hex);
    return answer != SCRIPT_ERROR;
}

void execution_note_leftover(struct execution *execution, enum failure_leftover leftover, const char *what,
                             const char *remedy)
{
    struct failure_names *names = &execution->failure.names;

    execution->failure.facts.leftover = leftover;
    text_copy_cut(names->remains, sizeof names->remains, what);
    text_copy_cut(names->remedy, sizeof names->remedy, remedy);
}

/* A write was refused as read-only: the server's doing, or that of a SET in the script. */
static bool is_read_only_by_itself(const struct execution *execution, const struct error *err)
{
    struct error ignored;
    bool is_writable;

    return writable_is_missing(err) && !connection_is_lost(execution->conn) &&
           !connection_is_in_transaction(execution->conn) &&
           writable_find(execution->conn, &is_writable, &ignored, &ignored) && is_writable;
}

void execution_judge(struct execution *execution, struct error *err)
{
    struct failure_facts *facts = &execution->failure.facts;

    if (is_read_only_by_itself(execution, err))
        err->class = ERROR_CLEAN;

    facts->class = err->class;
    facts->sqlstate = err->sqlstate;
    facts->mode = execution->mode;
    if (execution->script.length > 0)
        facts->obstacle =
            obstacle_of(execution_reader(execution), execution->failed_statement, err->sqlstate);
    facts->is_inverse = execution->migration->is_inverse;
    facts->is_pooled = execution->is_pooled;
    facts->insists_on_one = execution->directives.transaction == TRANSACTION_ON;
    facts->is_in_doubt = execution->commit_doubt.is_in_doubt;
    /* The connection that lost the answer to COMMIT may have been replaced by another. */
    facts->is_connected =
        !facts->is_in_doubt && (facts->is_rolled_back || !connection_is_lost(execution->conn));
    facts->has_hint = err->hint[0] != '\0' && err->sqlstate[0] == '\0';
    facts->has_blocker = execution->lock_wait.blockers.count > 0;
    err->class = failure_decide(facts).class;
}

const char *execution_more_time(const struct execution *execution)
{
    const struct directives *said = &execution->directives;

    if (execution->lock_wait.is_cut_short || deadline_passed(execution->until))
        return said->migration_timeout_ms >= 0 ? "migration-timeout=… in the script's directive"
                                               : "--migration-timeout";
    return said->retry_for_ms >= 0 ? "retry-for=… in the script's directive" : "--retry-for";
}

/* The hint that tidelock itself puts on a code is replaced by the advice for it. */
static void advise(struct execution *execution, struct error *err)
{
    struct failure_names *names = &execution->failure.names;
    auto_text struct text advice = text_init(4 * sizeof names->advice);
    const char *general = sqlstate_find(err->sqlstate)->hint;

    if (err->sqlstate[0] == '\0' && strstr(err->message, EXECUTION_LATE) == NULL)
        return;
    names->was_tried = circumstance_add_advice(execution, err, &advice);
    text_copy_cut(names->advice, sizeof names->advice, advice.at);
    if (general != NULL && strcmp(general, err->hint) == 0)
        err->hint[0] = '\0';
}

bool execution_explain(struct execution *execution, struct error *err)
{
    struct failure_names *names = &execution->failure.names;

    execution_judge(execution, err);
    ledger_mention_tell(execution, err);
    names->was_tried = false;
    advise(execution, err);
    names->migration = execution->migration->name;
    names->script = execution->migration->script_path;
    names->was_tried = names->was_tried || execution->was_rolled_back;
    names->tool = execution->ledger->dialect->tool;
    names->is_edit_unseen = !execution->ledger->dialect->has_checksums;
    names->statements = execution->summary.statements;
    names->more_time = execution_more_time(execution);
    failure_name_blockers(&execution->lock_wait.blockers, names);
    failure_describe(&execution->failure, err);
    return name_migration(execution, err);
}

bool execution_may_go_on(const struct execution *execution, struct error *err)
{
    if (signals_pending() != 0)
        return signals_error(err);
    if (deadline_passed(execution->until))
        return error_set(err, ERROR_CLEAN, "cancelled: %s", EXECUTION_LATE);
    return lease_check(execution->lease, err);
}

void execution_roll_back(struct connection *conn)
{
    static const struct query rollback = { .name = "rollback", .sql = "ROLLBACK" };
    struct error ignored;

    connection_shield(conn, true);
    connection_limit_answers(conn, ROLLBACK_MS);
    if (!connection_is_lost(conn) && connection_is_in_transaction(conn) &&
        !query_run(conn, &rollback, NULL, NULL, &ignored))
        log_debug("could not roll back: %s", ignored.message);
    connection_limit_answers(conn, 0);
}

void execution_roll_back_own(struct connection *conn)
{
    bool was_shielded = connection_shield(conn, true);

    execution_roll_back(conn);
    connection_shield(conn, was_shielded);
}

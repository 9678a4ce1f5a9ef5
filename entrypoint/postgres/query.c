#include "postgres/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/signals.h"
#include "postgres/answer.h"
#include "postgres/internal.h"
#include "postgres/sqlstate.h"
#include "sql/quote.h"

/* struct result is never defined: it is libpq's result under a name that other rooms may use. */
static const PGresult *inside(const struct result *result)
{
    return (const PGresult *)result;
}

void result_free(struct result *result)
{
    PQclear((PGresult *)result);
}

void result_free_at(struct result **result)
{
    result_free(*result);
}

int result_rows(const struct result *result)
{
    return PQntuples(inside(result));
}

int result_columns(const struct result *result)
{
    return PQnfields(inside(result));
}

const char *result_column(const struct result *result, int column)
{
    const char *name = PQfname(inside(result), column);

    return name == NULL ? "" : name;
}

bool result_is_null(const struct result *result, int row, int column)
{
    return PQgetisnull(inside(result), row, column) == 1;
}

const char *result_text(const struct result *result, int row, int column)
{
    const char *value = PQgetvalue(inside(result), row, column);

    return value == NULL ? "" : value; /* fewer rows or columns than were asked for */
}

bool result_bool(const struct result *result, int row, int column)
{
    return result_text(result, row, column)[0] == 't';
}

int64_t result_number(const struct result *result, int row, int column)
{
    return strtoll(result_text(result, row, column), NULL, 10);
}

static const char *field(const PGresult *result, int code)
{
    const char *value = PQresultErrorField(result, code);

    return value == NULL ? "" : value;
}

bool query_is_of_server(const PGresult *result)
{
    return field(result, PG_DIAG_SQLSTATE)[0] != '\0';
}

bool query_is_last_word(const PGresult *result)
{
    const char *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

bool error_from_result(struct connection *conn, const PGresult *result, struct error *err)
{
    const char *code = field(result, PG_DIAG_SQLSTATE);
    const struct sqlstate *meaning =
        query_is_last_word(result) ? sqlstate_of_end(code) : sqlstate_of_statement(code);

    if (!query_is_of_server(result)) {
        conn->is_given_up = true;
        return error_from_loss(conn, err);
    }
    error_set(err, meaning->class, "%s%s", meaning->class == ERROR_LOST ? "the connection broke: " : "",
              field(result, PG_DIAG_MESSAGE_PRIMARY));
    text_copy_cut(err->sqlstate, sizeof err->sqlstate, code);
    if (meaning->prisma != NULL)
        error_code(err, meaning->prisma);
    error_detail(err, "%s", field(result, PG_DIAG_MESSAGE_DETAIL));
    error_hint(err, "%s", field(result, PG_DIAG_MESSAGE_HINT));
    if (err->hint[0] == '\0' && meaning->hint != NULL)
        error_hint(err, "%s", meaning->hint);
    err->position = strtoul(field(result, PG_DIAG_STATEMENT_POSITION), NULL, 10);
    if (field(result, PG_DIAG_CONTEXT)[0] != '\0')
        error_context(err, "%s", field(result, PG_DIAG_CONTEXT));
    if (strcmp(code, "57014") != 0)
        return false;
    /* Behind a pooler a cancel may arrive late and hit the statement after the one that it was meant for. */
    if (signals_pending() != 0 && (conn->is_cancelled || conn->is_shielded))
        return signals_error(err);
    if (!conn->is_cancelled)
        return false;
    err->class = conn->cancel_class;
    error_message(err, "cancelled: %s", conn->why);
    return false;
}

bool query_is_failure(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

bool query_lose_trust(struct connection *conn, struct error *err)
{
    conn->is_given_up = true;
    error_set(err, ERROR_LOST, "the server's answer does not match the query");
    return error_code(err, "P1017");
}

/* A script may use COPY … TO STDOUT: its data is read and dropped. COPY … FROM STDIN is refused before it is
 * sent, but a function of the server's could still ask for data: the answer is a failure, never silence. */
static bool begin_copy(struct connection *conn, ExecStatusType status, const struct tally *tally,
                       struct error *err)
{
    if (!tally->is_script || status == PGRES_COPY_BOTH)
        return query_lose_trust(conn, err);
    conn->is_copying = status == PGRES_COPY_OUT;
    return conn->is_copying || PQputCopyEnd(conn->pg, "tidelock sends no COPY data") >= 0 ||
           error_from_loss(conn, err);
}

/* Counts a statement that is done. */
static bool tell(struct connection *conn, PGresult *result, struct tally *tally, struct error *err)
{
    const char *tag = PQcmdStatus(result);
    const struct result *rows =
        PQresultStatus(result) == PGRES_TUPLES_OK ? (const struct result *)result : NULL;
    size_t number = tally->completed++;

    if (tally->listener == NULL)
        return true;
    conn->is_preceded = strcmp(tag, "COMMIT") == 0 || (conn->is_preceded && rows == NULL);
    return tally->listener(tally->context, number, tag, rows) || query_lose_trust(conn, err);
}

static bool begins_copy(ExecStatusType status)
{
    return status == PGRES_COPY_BOTH || status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
}

/* Takes one result over. False only when the session broke. */
static bool tally_add(struct connection *conn, PGresult *result, struct tally *tally, struct error *err)
{
    ExecStatusType status = PQresultStatus(result);
    bool is_alive = true;

    if (query_is_failure(result) && tally->has_ended) {
        is_alive = false; /* libpq's own, for the end of the connection: the server has said why */
    } else if (query_is_failure(result)) {
        if (!tally->has_failed || !query_is_of_server(result))
            (void)error_from_result(conn, result, err);
        tally->has_failed = true;
        tally->has_ended |= query_is_last_word(result);
        is_alive = !conn->is_given_up;
    } else if (begins_copy(status)) {
        is_alive = begin_copy(conn, status, tally, err);
    } else if (status != PGRES_EMPTY_QUERY) {
        /* A rule that selects gives results of its own, before that of its statement. */
        if (PQcmdStatus(result)[0] != '\0')
            is_alive = tell(conn, result, tally, err);
        if (status == PGRES_TUPLES_OK && tally->count < tally->most) {
            if (tally->count == 0)
                tally->before = tally->completed;
            tally->kept[tally->count++] = (struct result *)result;
            conn->is_preceded = false;
            return true;
        }
    }
    PQclear(result);
    return is_alive;
}

bool query_read(struct connection *conn, struct tally *tally, struct error *err)
{
    PGresult *result;
    struct error lost;

    for (;;) {
        if (!connection_next_result(conn, !tally->is_uncancellable, &result, tally->has_ended ? &lost : err))
            return false;
        if (result == NULL)
            return !tally->has_failed;
        if (!tally_add(conn, result, tally, err))
            return false;
    }
}

void query_log_duration(const char *name, int64_t started_us)
{
    log_debug("query %s took %lld us", name, (long long)(clock_now_us() - started_us));
}

bool query_begin(struct connection *conn, const char *sql, struct pending *pending)
{
    struct error ignored;

    *pending = (struct pending) { .count = 0 };
    return connection_begin_query(conn, &ignored) && PQsendQuery(conn->pg, sql) == 1 &&
           PQflush(conn->pg) >= 0;
}

enum query_state query_continue(struct connection *conn, struct pending *pending, struct error *err)
{
    struct tally tally = { .kept = pending->results,
                           .most = PENDING_RESULTS,
                           .count = pending->count,
                           .has_failed = pending->has_failed };
    bool is_alive = PQflush(conn->pg) >= 0 && PQconsumeInput(conn->pg) == 1;

    while (is_alive && PQisBusy(conn->pg) == 0) {
        PGresult *result = PQgetResult(conn->pg);

        if (result == NULL)
            return tally.has_failed ? QUERY_FAILED : QUERY_DONE;
        is_alive = tally_add(conn, result, &tally, err);
        pending->count = tally.count;
        pending->has_failed = tally.has_failed;
    }
    if (is_alive)
        return QUERY_PENDING;
    error_from_loss(conn, err);
    return QUERY_FAILED;
}

void pending_free(struct pending *pending)
{
    for (size_t i = 0; i < pending->count; i++)
        result_free(pending->results[i]);
    *pending = (struct pending) { .count = 0 };
}

void connection_set_journal(struct connection *conn, const char *schema)
{
    auto_text struct text quoted = text_init(sizeof conn->journal);

    quote_identifier(schema, &quoted);
    text_copy_cut(conn->journal, sizeof conn->journal, quoted.at);
}

const char *connection_journal(const struct connection *conn)
{
    return conn->journal;
}

enum { SHARED_JOURNAL_MS = 1000 };

void connection_know_shared_journal(struct connection *conn, unsigned tables)
{
    conn->shared_journal = tables;
    conn->shared_journal_until = deadline_in(SHARED_JOURNAL_MS);
}

unsigned connection_shared_journal(const struct connection *conn)
{
    return deadline_passed(conn->shared_journal_until) ? 0 : conn->shared_journal;
}

void connection_know_checking(struct connection *conn, bool can_check)
{
    conn->checking = can_check ? CHECKING_YES : CHECKING_NO;
}

enum connection_checking connection_checking(const struct connection *conn)
{
    return conn->checking;
}

enum { JOURNAL_SQL_MOST = 8 * 1024 };

bool query_send(struct connection *conn, const struct query *query, const char *const *parameters)
{
    auto_text struct text sql = text_init(JOURNAL_SQL_MOST);
    const char *text = query->sql;

    if (query->is_in_journal) {
        text_add_filled(&sql, query->sql, "{journal}", conn->journal);
        text = sql.at;
    }
    return PQsendQueryParams(conn->pg, text, query->parameters, NULL, parameters, NULL, NULL, 0) == 1;
}

bool query_check_shared(struct connection *conn, struct error *err)
{
    static const char *const codes[] = { "26000", "34000", "08P01" };

    for (size_t i = 0; i < array_length(codes); i++) {
        if (strcmp(err->sqlstate, codes[i]) != 0 || err->contexts > 0)
            continue;
        conn->is_given_up = true;
        err->class = ERROR_LOST;
        error_message(err, QUERY_SHARED ": %s", err->message);
        return error_code(err, "P1017");
    }
    return false;
}

bool query_run(struct connection *conn, const struct query *query, const char *const *parameters,
               struct result **out, struct error *err)
{
    struct result *kept = NULL;
    struct tally tally = { .kept = &kept, .most = 1 };
    int64_t started = clock_now_us();
    bool is_good;

    if (!connection_begin_query(conn, err))
        return false;
    if (!query_send(conn, query, parameters))
        return error_from_loss(conn, err);
    is_good = query_read(conn, &tally, err) && (out == NULL || kept != NULL || query_lose_trust(conn, err));
    query_log_duration(query->name, started);
    if (is_good && out != NULL)
        *out = steal(&kept);
    result_free(kept);
    return is_good || query_check_shared(conn, err) || error_context(err, "running query %s", query->name);
}

bool query_several(struct connection *conn, const struct query *query, struct result **results, size_t count,
                   struct error *err)
{
    struct tally tally = { .kept = results, .most = count };
    int64_t started = clock_now_us();
    bool is_good;

    for (size_t i = 0; i < count; i++)
        results[i] = NULL;
    if (!connection_begin_query(conn, err))
        return false;
    if (PQsendQuery(conn->pg, query->sql) != 1)
        return error_from_loss(conn, err);
    is_good = query_read(conn, &tally, err) && (count == 0 || tally.count > 0 || query_lose_trust(conn, err));
    query_log_duration(query->name, started);
    return is_good || error_context(err, "running query %s", query->name);
}

bool query_script_start(struct connection *conn, const char *script, struct error *err)
{
    if (!connection_begin_query(conn, err))
        return false;
    return (PQsendQuery(conn->pg, script) == 1 && PQflush(conn->pg) >= 0) || error_from_loss(conn, err);
}

bool query_script_finish(struct connection *conn, size_t *completed, struct error *err)
{
    struct tally tally = { .is_script = true };
    bool is_good = query_read(conn, &tally, err);

    *completed = tally.completed;
    return is_good;
}

bool query_script(struct connection *conn, const char *script, size_t *completed, struct error *err)
{
    *completed = 0;
    return query_script_start(conn, script, err) && query_script_finish(conn, completed, err);
}

bool query_script_behind(struct connection *conn, const char *message, struct result **row, size_t *completed,
                         struct error *err)
{
    struct tally tally = { .is_script = true, .kept = row, .most = 1 };
    bool is_good;

    *row = NULL;
    *completed = 0;
    if (!query_script_start(conn, message, err))
        return false;
    conn->is_preceded = true;
    is_good = query_read(conn, &tally, err) && (*row != NULL || query_lose_trust(conn, err));
    conn->is_preceded = false;
    *completed = tally.completed - tally.before;
    return is_good;
}

bool query_transactions(struct connection *conn, struct transactions *transactions, struct error *err)
{
    struct tally tally = { .is_script = true,
                           .listener = transactions->listener,
                           .context = transactions->context };
    bool is_good;

    transactions->completed = 0;
    if (!query_script_start(conn, transactions->sql, err))
        return false;
    conn->is_preceded = true;
    is_good = query_read(conn, &tally, err) &&
              (tally.completed == transactions->statements || query_lose_trust(conn, err));
    conn->is_preceded = false;
    transactions->completed = tally.completed;
    transactions->has_ended = tally.has_ended;
    return is_good;
}

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

/* A failure without SQLSTATE is libpq's own: it could not parse an answer, has dropped it, and would wait
 * forever for its content. */
static bool is_of_server(const PGresult *result)
{
    return field(result, PG_DIAG_SQLSTATE)[0] != '\0';
}

/* The server ends the session with this message. */
static bool is_last_word(const PGresult *result)
{
    const char *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

bool error_from_result(struct connection *conn, const PGresult *result, struct error *err)
{
    const char *code = field(result, PG_DIAG_SQLSTATE);
    const struct sqlstate *meaning =
        is_last_word(result) ? sqlstate_of_end(code) : sqlstate_of_statement(code);

    if (!is_of_server(result)) {
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

static bool is_failure(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

/* Nothing after such an answer can be trusted. */
static bool lose_trust(struct connection *conn, struct error *err)
{
    conn->is_given_up = true;
    error_set(err, ERROR_LOST, "the server's answer does not match the query");
    return error_code(err, "P1017");
}

/* Collects the results of one query. */
struct tally {
    bool is_script;
    struct result **kept; /* those with rows, at most `most` */
    size_t most;
    size_t count;
    size_t completed; /* statements that the server reported as done */
    bool has_failed;
    bool has_ended; /* with the server's last word, which says why the connection is then gone */
};

/* A script may use COPY … TO STDOUT: its data is read and dropped. COPY … FROM STDIN is refused before it is
 * sent, but a function of the server's could still ask for data: the answer is a failure, never silence. */
static bool begin_copy(struct connection *conn, ExecStatusType status, const struct tally *tally,
                       struct error *err)
{
    if (!tally->is_script || status == PGRES_COPY_BOTH)
        return lose_trust(conn, err);
    conn->is_copying = status == PGRES_COPY_OUT;
    return conn->is_copying || PQputCopyEnd(conn->pg, "tidelock sends no COPY data") >= 0 ||
           error_from_loss(conn, err);
}

/* Takes one result over. False only when the session broke. */
static bool tally_add(struct connection *conn, PGresult *result, struct tally *tally, struct error *err)
{
    ExecStatusType status = PQresultStatus(result);
    bool is_alive = true;

    if (is_failure(result) && tally->has_ended) {
        is_alive = false; /* libpq's own, for the end of the connection: the server has said why */
    } else if (is_failure(result)) {
        if (!tally->has_failed || !is_of_server(result))
            (void)error_from_result(conn, result, err);
        tally->has_failed = true;
        tally->has_ended |= is_last_word(result);
        is_alive = !conn->is_given_up;
    } else if (status == PGRES_COPY_BOTH || status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
        is_alive = begin_copy(conn, status, tally, err);
    } else if (status != PGRES_EMPTY_QUERY) {
        tally->completed++;
        if (status == PGRES_TUPLES_OK && tally->count < tally->most) {
            tally->kept[tally->count++] = (struct result *)result;
            return true;
        }
    }
    PQclear(result);
    return is_alive;
}

/* Reads results until the query is over; the first failure fills `err`. */
static bool read_results(struct connection *conn, struct tally *tally, struct error *err)
{
    PGresult *result;
    struct error lost;

    for (;;) {
        if (!connection_next_result(conn, true, &result, tally->has_ended ? &lost : err))
            return false;
        if (result == NULL)
            return !tally->has_failed;
        if (!tally_add(conn, result, tally, err))
            return false;
    }
}

static void log_duration(const char *name, int64_t started_us)
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

enum { JOURNAL_SQL_MOST = 8 * 1024 };

static bool send(struct connection *conn, const struct query *query, const char *const *parameters)
{
    auto_text struct text sql = text_init(JOURNAL_SQL_MOST);
    const char *text = query->sql;

    if (query->is_in_journal) {
        text_add_filled(&sql, query->sql, "{journal}", conn->journal);
        text = sql.at;
    }
    return PQsendQueryParams(conn->pg, text, query->parameters, NULL, parameters, NULL, NULL, 0) == 1;
}

/* Our statements have no names. Where one is gone between its parse and its bind, or has become another,
 * another client of this session has sent one meanwhile: nothing that is answered here can be trusted. What a
 * trigger or a function raises has a context. Returns false. */
static bool check_shared(struct connection *conn, struct error *err)
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
    if (!send(conn, query, parameters))
        return error_from_loss(conn, err);
    is_good = read_results(conn, &tally, err) && (out == NULL || kept != NULL || lose_trust(conn, err));
    log_duration(query->name, started);
    if (is_good && out != NULL)
        *out = steal(&kept);
    result_free(kept);
    return is_good || check_shared(conn, err) || error_context(err, "running query %s", query->name);
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
    is_good = read_results(conn, &tally, err) && (count == 0 || tally.count > 0 || lose_trust(conn, err));
    log_duration(query->name, started);
    return is_good || error_context(err, "running query %s", query->name);
}

static bool batch_send(struct connection *conn, const struct batch *batch)
{
    if (PQenterPipelineMode(conn->pg) != 1)
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];

        if (!send(conn, item->query, item->parameters))
            return false;
        /* Otherwise nothing is answered before the end, and nobody knows how far it is. */
        if (i + 1 == batch->cancellable && PQsendFlushRequest(conn->pg) != 1)
            return false;
    }
    return PQpipelineSync(conn->pg) == 1;
}

/* How far the answers to a batch have been read. */
struct reading {
    const struct batch *batch;
    size_t item;
    size_t failed;
    bool is_good;
    bool has_ended; /* with the server's last word */
};

/* Takes a failure over: the first one counts. False when the session is over. */
static bool batch_fail(struct connection *conn, const PGresult *result, struct reading *reading,
                       struct error *err)
{
    if (reading->has_ended)
        return is_of_server(result);
    if (!is_of_server(result)) {
        reading->failed = reading->batch->count;
        return error_from_result(conn, result, err);
    }
    if (reading->is_good) {
        reading->is_good = error_from_result(conn, result, err);
        reading->has_ended = is_last_word(result);
        reading->failed = reading->item;
    }
    return true;
}

static bool batch_next(struct connection *conn, struct reading *reading, PGresult **result, struct error *err)
{
    struct error lost;
    bool is_cancellable = reading->is_good && reading->item < reading->batch->cancellable;

    if (connection_next_result(conn, is_cancellable, result, reading->has_ended ? &lost : err))
        return true;
    if (!reading->has_ended)
        reading->failed = reading->batch->count;
    return false;
}

/* One result for each item, a NULL after each, then the result of the sync point (libpq, "Pipeline Mode"). */
static bool batch_read(struct connection *conn, struct reading *reading, struct result **rows,
                       struct error *err)
{
    const struct batch *batch = reading->batch;
    PGresult *result;

    while (batch_next(conn, reading, &result, err)) {
        bool is_alive = true;

        if (result == NULL) {
            reading->item++;
            continue;
        }
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return reading->is_good;
        }
        if (is_failure(result)) {
            is_alive = batch_fail(conn, result, reading, err);
        } else if (batch->rows != NULL && reading->item == batch->rows_of && *rows == NULL &&
                   PQresultStatus(result) == PGRES_TUPLES_OK) {
            *rows = (struct result *)result;
            continue;
        }
        PQclear(result);
        if (!is_alive)
            return false;
    }
    return false;
}

bool query_batch(struct connection *conn, const struct batch *batch, struct error *err)
{
    struct result *rows = NULL;
    int64_t started = clock_now_us();
    struct reading reading = { .batch = batch, .failed = batch->count, .is_good = true };
    size_t failed = batch->count;
    bool is_good;

    if (batch->failed != NULL)
        *batch->failed = failed;
    if (!connection_begin_query(conn, err))
        return false;
    if (!batch_send(conn, batch))
        return error_from_loss(conn, err);
    is_good = batch_read(conn, &reading, &rows, err) &&
              (batch->rows == NULL || rows != NULL || lose_trust(conn, err));
    failed = reading.failed;
    log_duration(batch->items[batch->count - 1].query->name, started);
    if (batch->failed != NULL)
        *batch->failed = failed;
    if (is_good && batch->rows != NULL)
        *batch->rows = steal(&rows);
    result_free(rows);
    if (!is_good)
        (void)check_shared(conn, err);
    if (!connection_is_lost(conn))
        (void)PQexitPipelineMode(conn->pg);
    if (!is_good && failed < batch->count)
        return error_context(err, "running query %s", batch->items[failed].query->name);
    return is_good;
}

bool query_script(struct connection *conn, const char *script, size_t *completed, struct error *err)
{
    struct tally tally = { .is_script = true };
    bool is_good;

    *completed = 0;
    if (!connection_begin_query(conn, err))
        return false;
    if (PQsendQuery(conn->pg, script) != 1)
        return error_from_loss(conn, err);
    is_good = read_results(conn, &tally, err);
    *completed = tally.completed;
    return is_good;
}

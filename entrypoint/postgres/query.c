#include "postgres/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/signals.h"
#include "postgres/internal.h"
#include "postgres/sqlstate.h"

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

bool error_from_result(struct connection *conn, const PGresult *result, struct error *err)
{
    const char *code = field(result, PG_DIAG_SQLSTATE);
    const struct sqlstate *meaning = sqlstate_find(code);

    if (!is_of_server(result)) {
        conn->is_given_up = true;
        return error_from_loss(conn, err);
    }
    error_set(err, meaning->class, "%s", field(result, PG_DIAG_MESSAGE_PRIMARY));
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

/* A script may use COPY … TO STDOUT: its data is read and dropped. COPY … FROM STDIN is refused before it is
 * sent, but a function of the server's could still ask for data: the answer is a failure, never silence. */
static bool end_copy(struct connection *conn, ExecStatusType status, struct error *err)
{
    char *row = NULL;

    if (status == PGRES_COPY_IN) {
        if (PQputCopyEnd(conn->pg, "tidelock sends no COPY data") < 0)
            return error_from_loss(conn, err);
        return true;
    }
    while (PQgetCopyData(conn->pg, &row, 0) > 0)
        PQfreemem(row);
    return true;
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
    struct result **kept; /* those with rows, at most `most` */
    size_t most;
    size_t count;
    size_t completed; /* statements that the server reported as done */
    bool has_failed;
};

/* Takes one result over. False only when the session broke. */
static bool tally_add(struct connection *conn, PGresult *result, struct tally *tally, struct error *err)
{
    ExecStatusType status = PQresultStatus(result);
    bool is_alive = true;

    if (is_failure(result)) {
        if (!tally->has_failed || !is_of_server(result))
            (void)error_from_result(conn, result, err);
        tally->has_failed = true;
        is_alive = !conn->is_given_up;
    } else if (status == PGRES_COPY_BOTH) {
        is_alive = lose_trust(conn, err);
    } else if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
        is_alive = end_copy(conn, status, err);
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

    for (;;) {
        if (!connection_next_result(conn, true, &result, err))
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

/* Before anything is sent. */
static void begin(struct connection *conn)
{
    conn->is_cancelled = false;
    conn->why[0] = '\0';
}

bool query_begin(struct connection *conn, const char *sql, struct pending *pending)
{
    *pending = (struct pending) { .count = 0 };
    begin(conn);
    return PQsendQuery(conn->pg, sql) == 1 && PQflush(conn->pg) >= 0;
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

bool query_run(struct connection *conn, const struct query *query, const char *const *parameters,
               struct result **out, struct error *err)
{
    struct result *kept = NULL;
    struct tally tally = { .kept = &kept, .most = 1 };
    int64_t started = clock_now_us();
    bool is_good;

    begin(conn);
    if (PQsendQueryParams(conn->pg, query->sql, query->parameters, NULL, parameters, NULL, NULL, 0) != 1)
        return error_from_loss(conn, err);
    is_good = read_results(conn, &tally, err) && (out == NULL || kept != NULL || lose_trust(conn, err));
    log_duration(query->name, started);
    if (is_good && out != NULL)
        *out = steal(&kept);
    result_free(kept);
    return is_good || error_context(err, "running query %s", query->name);
}

bool query_several(struct connection *conn, const struct query *query, struct result **results, size_t count,
                   struct error *err)
{
    struct tally tally = { .kept = results, .most = count };
    int64_t started = clock_now_us();
    bool is_good;

    for (size_t i = 0; i < count; i++)
        results[i] = NULL;
    begin(conn);
    if (PQsendQuery(conn->pg, query->sql) != 1)
        return error_from_loss(conn, err);
    is_good = read_results(conn, &tally, err) && (count == 0 || tally.count > 0 || lose_trust(conn, err));
    log_duration(query->name, started);
    return is_good || error_context(err, "running query %s", query->name);
}

static bool batch_send(struct connection *conn, const struct batch_item *items, size_t count)
{
    if (PQenterPipelineMode(conn->pg) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (PQsendQueryParams(conn->pg, items[i].query->sql, items[i].query->parameters, NULL,
                              items[i].parameters, NULL, NULL, 0) != 1)
            return false;
    }
    return PQpipelineSync(conn->pg) == 1;
}

/* One result for each item, a NULL after each, then the result of the sync point (libpq, "Pipeline Mode"). */
static bool batch_read(struct connection *conn, const struct batch *batch, struct result **rows,
                       size_t *failed, struct error *err)
{
    bool is_good = true;
    size_t item = 0;
    PGresult *result;

    for (;;) {
        if (!connection_next_result(conn, false, &result, err)) {
            *failed = batch->count;
            return false;
        }
        if (result == NULL) {
            item++;
            continue;
        }
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return is_good;
        }
        if (is_failure(result) && !is_of_server(result)) {
            *failed = batch->count;
            (void)error_from_result(conn, result, err);
            PQclear(result);
            return false;
        }
        if (is_failure(result) && is_good) {
            is_good = error_from_result(conn, result, err);
            *failed = item;
        } else if (batch->rows != NULL && item == batch->rows_of && *rows == NULL &&
                   PQresultStatus(result) == PGRES_TUPLES_OK) {
            *rows = (struct result *)result;
            continue;
        }
        PQclear(result);
    }
}

bool query_batch(struct connection *conn, const struct batch *batch, struct error *err)
{
    struct result *rows = NULL;
    int64_t started = clock_now_us();
    size_t failed = batch->count;
    bool is_good;

    begin(conn);
    is_good = batch_send(conn, batch->items, batch->count);
    if (!is_good) {
        if (batch->failed != NULL)
            *batch->failed = failed;
        return error_from_loss(conn, err);
    }
    is_good = batch_read(conn, batch, &rows, &failed, err) &&
              (batch->rows == NULL || rows != NULL || lose_trust(conn, err));
    log_duration(batch->items[batch->count - 1].query->name, started);
    if (batch->failed != NULL)
        *batch->failed = failed;
    if (is_good && batch->rows != NULL)
        *batch->rows = steal(&rows);
    result_free(rows);
    if (is_good || failed < batch->count)
        (void)PQexitPipelineMode(conn->pg);
    if (!is_good && failed < batch->count)
        return error_context(err, "running query %s", batch->items[failed].query->name);
    return is_good;
}

bool query_script(struct connection *conn, const char *script, size_t *completed, struct error *err)
{
    struct tally tally = { .most = 0 };
    bool is_good;

    *completed = 0;
    begin(conn);
    if (PQsendQuery(conn->pg, script) != 1)
        return error_from_loss(conn, err);
    is_good = read_results(conn, &tally, err);
    *completed = tally.completed;
    return is_good;
}

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "postgres/answer.h"
#include "postgres/internal.h"
#include "postgres/query.h"
#include "sql/quote.h"

enum { MESSAGE_MOST = 64 * 1024 };

static bool batch_send(struct connection *conn, const struct batch *batch)
{
    if (PQenterPipelineMode(conn->pg) != 1)
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];

        if (!query_send(conn, item->query, item->parameters))
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
        return query_is_of_server(result);
    if (!query_is_of_server(result)) {
        reading->failed = reading->batch->count;
        return error_from_result(conn, result, err);
    }
    if (reading->is_good) {
        reading->is_good = error_from_result(conn, result, err);
        reading->has_ended = query_is_last_word(result);
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
        if (query_is_failure(result)) {
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

static bool run_pipeline(struct connection *conn, const struct batch *batch, size_t *failed,
                         struct error *err)
{
    struct result *rows = NULL;
    struct reading reading = { .batch = batch, .failed = batch->count, .is_good = true };
    bool is_good;

    if (!batch_send(conn, batch))
        return error_from_loss(conn, err);
    is_good = batch_read(conn, &reading, &rows, err) &&
              (batch->rows == NULL || rows != NULL || query_lose_trust(conn, err));
    *failed = reading.failed;
    if (is_good && batch->rows != NULL)
        *batch->rows = steal(&rows);
    result_free(rows);
    if (!is_good)
        (void)query_check_shared(conn, err);
    if (!connection_is_lost(conn))
        (void)PQexitPipelineMode(conn->pg);
    return is_good;
}

/* Adds a statement with its parameters, $1 to $9, as constants. What is quoted may hold a dollar, too. */
static void add_filled(const char *sql, const char *const *parameters, struct text *out)
{
    while (*sql != '\0') {
        size_t length = strcspn(sql, "$\"'");
        const char *closing =
            sql[length] == '\0' || sql[length] == '$' ? NULL : strchr(sql + length + 1, sql[length]);

        if (closing != NULL)
            length = (size_t)(closing - sql) + 1;
        text_add(out, sql, length);
        sql += length;
        if (closing != NULL || *sql == '\0')
            continue;
        if (parameters[sql[1] - '1'] == NULL)
            text_add_string(out, "NULL");
        else
            quote_literal(parameters[sql[1] - '1'], out);
        sql += 2;
    }
}

void batch_item_add(const struct batch_item *item, struct text *out)
{
    add_filled(item->query->sql, item->parameters, out);
    text_add_string(out, ";");
}

/* The server reads all of it before it does any of it: with the script's client_encoding. */
static bool write_message(const struct batch *batch, struct text *out)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].query->is_in_journal)
            return false;
        batch_item_add(&batch->items[i], out);
    }
    for (size_t i = 0; i < out->length; i++) {
        if ((unsigned char)out->at[i] >= 0x80)
            return false;
    }
    return !out->has_overflowed;
}

static bool run_message(struct connection *conn, const struct batch *batch, const char *sql, size_t *failed,
                        struct error *err)
{
    struct tally tally = { .is_uncancellable = batch->cancellable < batch->count };

    if (PQsendQuery(conn->pg, sql) != 1)
        return error_from_loss(conn, err);
    if (query_read(conn, &tally, err))
        return tally.completed == batch->count || query_lose_trust(conn, err);
    if (tally.has_failed && tally.completed < batch->count)
        *failed = tally.completed;
    return false;
}

bool query_batch(struct connection *conn, const struct batch *batch, struct error *err)
{
    auto_text struct text message = text_init(MESSAGE_MOST);
    int64_t started = clock_now_us();
    size_t failed = batch->count;
    bool is_good;

    if (batch->failed != NULL)
        *batch->failed = failed;
    if (!connection_begin_query(conn, err))
        return false;
    is_good = batch->is_one_message && write_message(batch, &message)
                  ? run_message(conn, batch, message.at, &failed, err)
                  : run_pipeline(conn, batch, &failed, err);
    query_log_duration(batch->items[batch->count - 1].query->name, started);
    if (batch->failed != NULL)
        *batch->failed = failed;
    if (!is_good && failed < batch->count)
        return error_context(err, "running query %s", batch->items[failed].query->name);
    return is_good;
}

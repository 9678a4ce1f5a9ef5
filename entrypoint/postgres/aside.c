#include "postgres/aside.h"

#include "base/log.h"
#include "postgres/advisory.h"

static const struct query BEGIN = { .name = "begin", .sql = "BEGIN" };
static const struct query COMMIT = { .name = "commit", .sql = "COMMIT" };
static const struct query ROLLBACK = { .name = "rollback", .sql = "ROLLBACK" };

/* Ends one that failed, unless the session is gone. */
static void roll_back(struct connection *conn)
{
    struct error ignored;

    if (connection_is_in_transaction(conn) && !connection_is_lost(conn) &&
        !query_several(conn, &ROLLBACK, NULL, 0, &ignored))
        log_debug("could not roll back: %s", ignored.message);
}

/* From `own` come the items, `rows` and `failed`. */
static bool run(struct connection *conn, const char *key, const struct batch *own, const struct query *end,
                struct error *err)
{
    struct batch_item items[ASIDE_ITEMS_MOST + ASIDE_EXTRA];
    size_t count = 0;
    size_t hold = SIZE_MAX;
    size_t first;
    size_t failed;

    items[count++] = (struct batch_item) { .query = &BEGIN };
    if (key != NULL) {
        hold = count;
        items[count++] = (struct batch_item) { .query = &ADVISORY_HOLD, .parameters = &key };
    }
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[count++] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    first = count;
    for (size_t i = 0; i < own->count && i < ASIDE_ITEMS_MOST; i++)
        items[count++] = own->items[i];
    items[count++] = (struct batch_item) { .query = end };
    if (query_batch(conn,
                    &(const struct batch) { .items = items,
                                            .count = count,
                                            .cancellable = count - 1,
                                            .rows = own->rows,
                                            .rows_of = count - 2,
                                            .failed = &failed },
                    err))
        return true;
    roll_back(conn);
    if (failed == hold)
        advisory_failed(err);
    if (own->failed != NULL)
        *own->failed = failed < first || failed + 1 >= count ? own->count : failed - first;
    return false;
}

bool aside_run(struct connection *conn, const char *key, const struct batch *own, struct result **out,
               struct error *err)
{
    const struct batch batch = {
        .items = own->items, .count = own->count, .rows = out, .failed = own->failed
    };

    return run(conn, key, &batch, &COMMIT, err);
}

bool aside_ask(struct connection *conn, const struct batch *own, struct result **out, struct error *err)
{
    const struct batch batch = {
        .items = own->items, .count = own->count, .rows = out, .failed = own->failed
    };

    return run(conn, NULL, &batch, &ROLLBACK, err);
}

bool aside_enter(struct connection *conn, struct error *err)
{
    static const struct query savepoint = { .name = "aside_savepoint", .sql = "SAVEPOINT tidelock_aside" };
    static const struct query unlimited = { .name = "aside_unlimited",
                                            .sql = "SET LOCAL statement_timeout = 0" };
    struct batch_item items[2 + SESSION_ASIDES] = { { .query = &savepoint }, { .query = &unlimited } };

    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[2 + i] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    return query_batch(conn, &(const struct batch) { .items = items, .count = array_length(items) }, err);
}

bool aside_leave(struct connection *conn, struct error *err)
{
    static const struct query leave = {
        .name = "aside_leave",
        .sql = "ROLLBACK TO SAVEPOINT tidelock_aside; RELEASE SAVEPOINT tidelock_aside",
    };

    return query_several(conn, &leave, NULL, 0, err);
}

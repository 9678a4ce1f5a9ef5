#include "execution/checkpoint.h"

#include <stdio.h>

#include "execution/lock_retry.h"
#include "lock/leader.h"
#include "postgres/query.h"

enum { NUMBER_SIZE = 24 };

enum { CLOSING_ITEMS = SESSION_ASIDES + 5 };

bool checkpoint_commit(struct execution *execution, size_t done, const char *commit, struct error *err)
{
    char number[NUMBER_SIZE];
    const char *const row[ROW_VALUES] = { [ROW_ID] = execution->id, [ROW_STEPS] = number };
    const char *parameters[ROW_VALUES];
    const struct query closing = { .name = "commit", .sql = commit };
    struct batch_item items[CLOSING_ITEMS];
    size_t count = 0;
    size_t keep;
    size_t failed;

    (void)snprintf(number, sizeof number, "%zu", done);
    items[count++] = (struct batch_item) { .query = &SESSION_CONSTRAINTS };
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[count++] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    keep = count;
    items[count++] =
        (struct batch_item) { .query = &LEADER_KEEP, .parameters = &execution->ledger->lock_key };
    items[count++] = execution_add_limits(execution);
    items[count++] = ledger_item(execution->ledger, LEDGER_PROGRESS, row, parameters);
    items[count++] = (struct batch_item) { .query = &closing };
    if (query_batch(execution->conn,
                    &(const struct batch) {
                        .items = items, .count = count, .cancellable = count - 1, .failed = &failed },
                    err))
        return true;
    return failed == keep && err->class != ERROR_LOST ? execution_lost_leader(err) : false;
}

/* What is done already is not done again because the ledger is locked: only this is repeated. */
bool checkpoint_record(struct execution *execution, size_t done, struct error *err)
{
    static const struct query begin = { .name = "begin", .sql = "BEGIN" };

    for (;;) {
        bool is_done;

        connection_shield(execution->conn, true); /* a signal leaves it the time that it needs */
        is_done = query_run(execution->conn, &begin, NULL, NULL, err) &&
                  checkpoint_commit(execution, done, "COMMIT", err);
        if (is_done) {
            connection_shield(execution->conn, false);
            return true;
        }
        execution_roll_back(execution->conn);
        if (!lock_retry(execution, err))
            return false;
    }
}

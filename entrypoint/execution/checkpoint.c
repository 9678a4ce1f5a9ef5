#include "execution/checkpoint.h"

#include <stdio.h>

#include "execution/lock_retry.h"
#include "execution/session_state.h"
#include "postgres/advisory.h"
#include "postgres/query.h"

enum { NUMBER_SIZE = 24, CLOSING_ITEMS = SESSION_ASIDES + 4 + SESSION_STATE_ITEMS_MOST + LEDGER_ITEMS_MOST };

static const struct query BEGIN = { .name = "begin", .sql = "BEGIN" };

/* The closing items of a transaction, in one round trip. The leader lock comes first in one of ours; in the
 * script's it is held already, and has to be held by the session as well before others see the changes. */
static bool close_with(struct execution *execution, size_t done, const struct query *before,
                       const char *commit, struct error *err)
{
    bool is_script = before != &BEGIN;
    char number[NUMBER_SIZE];
    char recorded[NUMBER_SIZE];
    const char *const row[ROW_VALUES] = { [ROW_ID] = execution->id,
                                          ROW_OF_MIGRATION(execution->migration),
                                          [ROW_STEPS] = number,
                                          [ROW_BEFORE] = recorded };
    struct ledger_parameters parameters;
    const struct query closing = { .name = "commit", .sql = commit };
    struct batch_item items[CLOSING_ITEMS];
    struct session_note note = { .parameters = { NULL } };
    auto_result struct result *is_changed = NULL;
    struct batch batch = { .items = items };
    size_t count = 0;

    (void)snprintf(number, sizeof number, "%zu", done);
    (void)snprintf(recorded, sizeof recorded, "%zu", execution->course.recorded);
    items[count++] = (struct batch_item) { .query = before };
    items[count++] =
        (struct batch_item) { .query = &ADVISORY_HOLD, .parameters = &execution->ledger->lock_key };
    count += session_state_add_stash(execution, items + count);
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[count++] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    batch.rows = execution->is_state_kept ? &is_changed : NULL;
    count += session_state_add_note(execution, is_script, &note, items + count);
    batch.rows_of = count - 1;
    items[count++] = execution_add_limits(execution);
    count += ledger_add_items(execution->ledger, is_script ? LEDGER_COMMIT : LEDGER_PROGRESS, row,
                              &parameters, items + count);
    items[count++] = (struct batch_item) { .query = &closing };
    batch.count = count;
    batch.cancellable = count - 1;
    if (!ledger_batch(execution->conn, execution->ledger, &batch, row, err))
        return false;
    execution->course.done = execution->course.recorded = done;
    return !is_script || is_changed == NULL || result_rows(is_changed) == 0 ||
           session_state_settle(execution, err);
}

bool checkpoint_commit(struct execution *execution, size_t done, const char *commit, struct error *err)
{
    return close_with(execution, done, &SESSION_CONSTRAINTS, commit, err);
}

/* What is done already is not done again because the ledger is locked: only this is repeated. */
bool checkpoint_record(struct execution *execution, size_t done, struct error *err)
{
    for (;;) {
        bool was_shielded =
            connection_shield(execution->conn, true); /* a signal leaves it the time it needs */

        if (close_with(execution, done, &BEGIN, "COMMIT", err)) {
            connection_shield(execution->conn, was_shielded);
            return true;
        }
        execution_roll_back(execution->conn);
        if (!lock_retry(execution, err))
            return false;
    }
}

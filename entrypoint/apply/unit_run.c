#include "apply/unit_run.h"

#include "apply/advance.h"
#include "apply/alone.h"
#include "apply/repair.h"
#include "apply/table_lock.h"
#include "base/memory.h"
#include "lock/leader.h"
#include "postgres/query.h"

static bool begin_own(struct applying *applying, struct error *err)
{
    auto_result struct result *facts = NULL;

    if (!query_several(applying->conn, "begin", "BEGIN;SELECT " LEADER_TRY_IN_TRANSACTION, &facts, 1, err))
        return false;
    return result_bool(facts, 0, 0) || applying_lost_leader(err);
}

static bool check_in_transaction(struct applying *applying, const struct unit *unit, struct error *err)
{
    if (connection_is_in_transaction(applying->conn))
        return true;
    error_set(err, ERROR_PARTIAL,
              "migration \"%s\" ended a transaction in a way that can't be seen in its text",
              applying->migration->name);
    applying_point(applying, unit->start, err);
    return error_hint(err, "Look for COMMIT in functions that it calls.");
}

static bool run_plain(struct applying *applying, const struct unit *unit, struct error *err)
{
    if (!begin_own(applying, err) || !applying_send(applying, unit->start, unit->end, unit->first, err) ||
        !check_in_transaction(applying, unit, err))
        return false;
    if (!applying_may_go_on(applying, err) || !repair_verify(applying, unit->start, unit->end, err))
        return false;
    if (!advance_commit(applying, unit->first + unit->count, "COMMIT", err))
        return applying_failed_at(applying, unit->start, unit->first, 0, err);
    return true;
}

static bool run_block(struct applying *applying, const struct unit *unit, struct error *err)
{
    const struct statement *closing = &unit->closing;
    auto_free char *words = memory_copy(applying->script.at + closing->start, closing->end - closing->start);

    if (!applying_send(applying, unit->start, unit->end, unit->first, err) ||
        !check_in_transaction(applying, unit, err))
        return false;
    if (!applying_may_go_on(applying, err))
        return false;
    if (closing->kind == KIND_COMMIT) {
        if (!repair_verify(applying, unit->start, unit->end, err))
            return false;
        if (!advance_commit(applying, unit->first + unit->count, words, err))
            return applying_failed_at(applying, closing->start, unit->first + unit->count - 1, 0, err);
        return true;
    }
    return applying_send(applying, closing->start, closing->end, unit->first + unit->count - 1, err) &&
           advance(applying, unit->first + unit->count, err);
}

/* A unit that is a transaction: as often as a lock could not be had in time. */
static bool run_transaction(struct applying *applying, const struct unit *unit, struct error *err)
{
    applying->retry.tries = 0;
    for (;;) {
        bool is_done;

        watch_start(applying->watch, applying->conn, applying->ledger->backend_pid, true);
        is_done =
            applying_set_lock_timeout(applying, unit->is_data ? WAIT_ROWS : WAIT_TABLE, false, err) &&
            (unit->kind == UNIT_PLAIN ? run_plain(applying, unit, err) : run_block(applying, unit, err));
        watch_stop(applying->watch);
        if (is_done)
            return true;
        applying_roll_back(applying->conn);
        if (!table_lock_retry(applying, err))
            return false;
    }
}

bool unit_run(struct applying *applying, const struct unit *unit, bool is_resuming, struct error *err)
{
    if (!applying_may_go_on(applying, err))
        return false;
    if (unit->start == unit->end)
        return advance(applying, unit->first + unit->count, err);
    return unit->kind == UNIT_ALONE ? alone_run(applying, unit, is_resuming, err)
                                    : run_transaction(applying, unit, err);
}

#include "apply/unit_run.h"

#include <stdio.h>

#include "apply/repair.h"
#include "apply/table_lock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/signals.h"
#include "history/sidecar.h"
#include "lock/leader.h"
#include "postgres/query.h"

enum { SQL_MOST = 64 * 1024, NUMBER_SIZE = 24 };

/* Progress is written with the script's own role and settings set aside, and comes back to them at the end of
 * the transaction: SET LOCAL after SET in one transaction hides it only until COMMIT (documentation, "SET").
 * Deferred constraints fire before that. */
static const struct query ASIDE[] = {
    { .name = "constraints_immediate", .sql = "SET CONSTRAINTS ALL IMMEDIATE" },
    { .name = "aside_session_authorization", .sql = "SET LOCAL SESSION AUTHORIZATION DEFAULT" },
    { .name = "aside_role", .sql = "SET LOCAL ROLE NONE" },
};

enum { ASIDES = array_length(ASIDE) };

/* Commits an open transaction together with the progress it brings. */
static bool commit_with_progress(struct applying *applying, size_t done, const char *commit,
                                 struct error *err)
{
    char number[NUMBER_SIZE];
    const char *const parameters[] = { applying->id, number };
    const struct query closing = { .name = "commit", .sql = commit };
    struct step steps[ASIDES + 2];
    size_t failed;

    (void)snprintf(number, sizeof number, "%zu", done);
    for (size_t i = 0; i < ASIDES; i++)
        steps[i] = (struct step) { .query = &ASIDE[i] };
    steps[ASIDES] =
        (struct step) { .query = &applying->ledger->queries[LEDGER_PROGRESS], .parameters = parameters };
    steps[ASIDES + 1] = (struct step) { .query = &closing };
    return query_batch(applying->conn, steps, ASIDES + 2, NULL, &failed, err);
}

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
    error_point(err, applying->migration->script_path, applying->script.at, applying->script.length,
                unit->start);
    return error_hint(err, "Look for COMMIT in functions that it calls.");
}

static bool run_plain(struct applying *applying, const struct unit *unit, struct error *err)
{
    if (!begin_own(applying, err) || !applying_send(applying, unit->start, unit->end, unit->first, err) ||
        !check_in_transaction(applying, unit, err))
        return false;
    if (signals_pending() != 0)
        return signals_error(err);
    if (!commit_with_progress(applying, unit->first + unit->count, "COMMIT", err))
        return applying_failed_at(applying, unit->start, unit->first, 0, err);
    return true;
}

static bool run_progress(struct applying *applying, size_t done, struct error *err)
{
    return query_several(applying->conn, "begin", "BEGIN", NULL, 0, err) &&
           commit_with_progress(applying, done, "COMMIT", err);
}

static bool run_block(struct applying *applying, const struct unit *unit, struct error *err)
{
    const struct statement *closing = &unit->closing;
    auto_free char *words = memory_copy(applying->script.at + closing->start, closing->end - closing->start);

    if (!applying_send(applying, unit->start, unit->end, unit->first, err) ||
        !check_in_transaction(applying, unit, err))
        return false;
    if (signals_pending() != 0)
        return signals_error(err);
    if (closing->kind == KIND_COMMIT) {
        if (!commit_with_progress(applying, unit->first + unit->count, words, err))
            return applying_failed_at(applying, closing->start, unit->first + unit->count - 1, 0, err);
        return true;
    }
    return applying_send(applying, closing->start, closing->end, unit->first + unit->count - 1, err) &&
           run_progress(applying, unit->first + unit->count, err);
}

/* A time-out in the middle of a CONCURRENTLY would leave an INVALID index: none while such a statement runs.
 */
static bool run_without_timeouts(struct applying *applying, const struct unit *unit, struct error *err)
{
    static const struct query restore = {
        .name = "restore_timeouts",
        .parameters = 2,
        .sql =
            "SELECT pg_catalog.set_config('lock_timeout', $1, false),"
            " pg_catalog.set_config('statement_timeout', $2, false)",
    };
    auto_result struct result *before = NULL;
    struct error ignored;
    bool is_done;

    if (!query_several(applying->conn, "no_timeouts",
                       "SELECT pg_catalog.current_setting('lock_timeout'),"
                       " pg_catalog.current_setting('statement_timeout');"
                       "SET lock_timeout = 0;SET statement_timeout = 0",
                       &before, 1, err))
        return false;
    is_done = applying_send(applying, unit->start, unit->end, unit->first, err);
    const char *const parameters[] = { result_text(before, 0, 0), result_text(before, 0, 1) };
    if (!connection_is_lost(applying->conn) &&
        !query_run(applying->conn, &restore, parameters, NULL, &ignored))
        log_debug("could not restore the time-outs: %s", ignored.message);
    return is_done;
}

/* A statement that was stopped half-way may have left an INVALID index. After a signal there are seconds left
 * to drop it; what remains then is dropped by the next run, which finds the intent. */
static bool fail_alone(struct applying *applying, const struct unit *unit, const struct intent *intent,
                       struct error *err)
{
    auto_text struct text left = text_init(SQL_MOST);
    bool is_interrupted = err->class == ERROR_INTERRUPTED;
    struct error ignored;

    if (connection_is_lost(applying->conn) ||
        (is_interrupted && !query_several(applying->conn, "short_timeout", "SET statement_timeout = '2s'",
                                          NULL, 0, &ignored)) ||
        repair_after(applying, &unit->alone, intent, &left) || left.length == 0)
        return false;
    applying->has_leftover = true;
    if (is_interrupted && intent->is_known)
        return error_holds(err, "An INVALID index remains, %s; the next deployment drops it.", left.at);
    err->class = ERROR_PARTIAL;
    error_holds(err, "An INVALID index remains: %s.", left.at);
    return error_hint(err, "DROP INDEX CONCURRENTLY %s; then correct the cause and deploy again.", left.at);
}

static bool run_alone(struct applying *applying, const struct unit *unit, bool is_resuming, struct error *err)
{
    char prefix[SHA256_HEX_SIZE];
    struct intent intent;
    enum repair_answer answer = REPAIR_RUN;

    if (is_resuming) {
        if (!intent_read(applying->conn, applying->id, unit->first, &intent, err))
            return false;
        answer = repair_before(applying, &unit->alone, &intent, err);
    }
    if (answer == REPAIR_REFUSED || answer == REPAIR_ERROR)
        return false;
    if (answer == REPAIR_DONE) {
        log_info("statement %zu was done when the last run was interrupted", unit->first + 1);
        return run_progress(applying, unit->first + unit->count, err);
    }
    if (!applying_hash_prefix(applying, unit->first, prefix, err) ||
        !intent_record(applying->conn, applying->id, unit->first, prefix, &intent, err))
        return false;
    if (!run_without_timeouts(applying, unit, err))
        return fail_alone(applying, unit, &intent, err);
    return repair_verify(applying, &unit->alone, err) &&
           run_progress(applying, unit->first + unit->count, err);
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
    bool is_done;

    if (signals_pending() != 0)
        return signals_error(err);
    if (unit->start == unit->end)
        return run_progress(applying, unit->first + unit->count, err);
    if (unit->kind != UNIT_ALONE)
        return run_transaction(applying, unit, err);
    watch_start(applying->watch, applying->conn, applying->ledger->backend_pid, false);
    is_done = run_alone(applying, unit, is_resuming, err);
    watch_stop(applying->watch);
    return is_done;
}

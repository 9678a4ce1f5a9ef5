#include "apply/segment_run.h"

#include "apply/block.h"
#include "apply/nontransactional.h"
#include "apply/transaction_start.h"
#include "base/memory.h"
#include "execution/checkpoint.h"
#include "execution/lock_retry.h"
#include "postgres/advisory.h"
#include "postgres/query.h"
#include "repair/repair.h"

enum { BEGIN_MOST = 1024 };

static bool begin_own(struct execution *execution, const struct segment *segment,
                      const struct transaction_head *head, struct error *err)
{
    auto_text struct text sql = text_init(BEGIN_MOST);
    auto_result struct result *facts = NULL;

    text_add_string(&sql, "BEGIN;");
    if (!transaction_start(execution, head, segment->first, &sql, err))
        return false;
    text_add_string(&sql, "SELECT ");
    advisory_add_try(execution->ledger->lock_key, true, &sql);
    if (!query_several(execution->conn, &(const struct query) { .name = "begin", .sql = sql.at }, &facts, 1,
                       err))
        return false;
    return result_bool(facts, 0, 0) || advisory_lost(err);
}

static bool check_in_transaction(struct execution *execution, const struct segment *segment,
                                 struct error *err)
{
    if (connection_is_in_transaction(execution->conn))
        return true;
    execution->failure.facts.has_escaped = true;
    error_set(err, ERROR_PARTIAL, "migration \"%s\" ended a transaction in a way that its text does not show",
              execution->migration->name);
    return execution_point(execution, segment->start, err);
}

static bool run_plain(struct execution *execution, const struct segment *segment, struct error *err)
{
    const struct transaction_head head =
        transaction_head_of(execution_reader(execution), segment->start, segment->end);

    if (!begin_own(execution, segment, &head, err) ||
        !execution_send(execution, head.rest, segment->end, segment->first + head.statements, err) ||
        !check_in_transaction(execution, segment, err))
        return false;
    if (!execution_may_go_on(execution, err) || !repair_verify(execution, segment->start, segment->end, err))
        return false;
    if (!checkpoint_commit(execution, segment->first + segment->count, "COMMIT", err))
        return execution_failed_at(execution, segment->start, segment->first, 0, err);
    return true;
}

static bool run_block(struct execution *execution, const struct segment *segment, struct error *err)
{
    const struct statement *closing = &segment->closing;
    auto_free char *words = memory_copy(execution->script.at + closing->start, closing->end - closing->start);

    if (!block_send(execution, segment, err) || !check_in_transaction(execution, segment, err))
        return false;
    if (!execution_may_go_on(execution, err))
        return false;
    if (closing->kind == KIND_COMMIT) {
        if (!repair_verify(execution, segment->start, segment->end, err))
            return false;
        if (!checkpoint_commit(execution, segment->first + segment->count, words, err))
            return execution_failed_at(execution, closing->start, segment->first + segment->count - 1, 0,
                                       err);
        return true;
    }
    return execution_send(execution, closing->start, closing->end, segment->first + segment->count - 1,
                          err) &&
           checkpoint_record(execution, segment->first + segment->count, err);
}

/* Runs a segment that is a transaction, and retries it after lock timeouts. */
static bool run_transaction(struct execution *execution, const struct segment *segment, struct error *err)
{
    execution->lock_wait.retry.tries = 0;
    execution->lock_wait.locks_tables = false;
    if (!lock_retry_look_first(execution, segment->first, segment->first + segment->count, err))
        return false;
    for (;;) {
        enum retry_wait wait = execution_wait_of(execution, segment->is_data);
        bool is_done;

        watch_start(execution->watch, execution->conn, execution->ledger->backend_pid, true);
        execution_expect(execution, wait);
        is_done = execution_set_lock_timeout(execution, wait, false, err) &&
                  (segment->kind == SEGMENT_PLAIN ? run_plain(execution, segment, err)
                                                  : run_block(execution, segment, err));
        watch_stop(execution->watch);
        if (is_done)
            return true;
        execution_roll_back(execution->conn);
        if (!lock_retry(execution, err))
            return false;
    }
}

bool segment_run(struct execution *execution, const struct segment *segment, bool is_resuming,
                 struct error *err)
{
    if (!execution_may_go_on(execution, err))
        return false;
    if (segment->start == segment->end)
        return checkpoint_record(execution, segment->first + segment->count, err);
    return segment->kind == SEGMENT_ALONE ? nontransactional_run(execution, segment, is_resuming, err)
                                          : run_transaction(execution, segment, err);
}

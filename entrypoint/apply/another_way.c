#include "apply/another_way.h"

#include "base/log.h"
#include "execution/obstacle.h"

/* False if the rules would stay as they are: then it would only fail again. */
static bool change_rules(struct execution *execution, enum obstacle obstacle)
{
    struct segment_rules *rules = &execution->rules;
    size_t number = execution->failed_statement;

    if (obstacle == OBSTACLE_REFUSED && !(rules->has_refused && rules->refused == number)) {
        rules->has_refused = true;
        rules->refused = number;
        log_info("statement %zu cannot run in a transaction: it runs on its own", number + 1);
        return true;
    }
    if (obstacle == OBSTACLE_VALUE && !rules->ends_at_value) {
        rules->ends_at_value = true;
        log_info("statement %zu uses a new value of an enum: the value is committed first", number + 1);
        return true;
    }
    return false;
}

bool another_way_for_script(struct execution *execution, const struct error *err)
{
    enum obstacle obstacle =
        obstacle_of(execution_reader(execution), execution->failed_statement, err->sqlstate);

    if (err->class != ERROR_CLEAN || execution->directives.transaction != TRANSACTION_AUTO ||
        execution->is_pooled || (obstacle == OBSTACLE_REFUSED && execution->summary.statements > 1) ||
        !change_rules(execution, obstacle))
        return false;
    execution->mode = MODE_STEPWISE;
    execution->is_session_used = true;
    connection_shield(execution->conn, false);
    return true;
}

bool another_way_for_segment(struct execution *execution, const struct segment *segment,
                             const struct error *err)
{
    if (err->class != ERROR_CLEAN || segment->kind != SEGMENT_PLAIN ||
        !change_rules(execution,
                      obstacle_of(execution_reader(execution), execution->failed_statement, err->sqlstate)))
        return false;
    connection_shield(execution->conn, false);
    return true;
}

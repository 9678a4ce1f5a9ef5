#include "execution/obstacle.h"

#include <string.h>

#include "sql/session_statement.h"

/* What precedes a statement in its transaction. */
struct surroundings {
    bool is_in_block;
    bool has_value; /* was added to an enum */
    bool is_bound;  /* to its transaction: committed in two parts, it would be another script */
};

static void pass(struct surroundings *around, const struct statement *statement, struct scanner text)
{
    switch (statement->kind) {
    case KIND_BEGIN:
        *around = (struct surroundings) { .is_in_block = true };
        break;
    case KIND_COMMIT:
    case KIND_ROLLBACK:
    case KIND_NONTRANSACTIONAL:
        *around = (struct surroundings) { .is_in_block = false };
        break;
    default:
        around->has_value |= statement_adds_value(text);
        around->is_bound |= session_statement_ends_with_transaction(
            (struct slice) { text.at + statement->start, statement->end - statement->start });
        break;
    }
}

/* 25001: "cannot run inside a transaction block", "must be called before any query". What runs in a function
 * cannot leave its transaction. */
static enum obstacle of_active_transaction(const struct surroundings *around, struct scanner text)
{
    if (statement_sets_transaction(text))
        return OBSTACLE_LATE_SETTING;
    if (statement_is_query(text) || statement_may_commit(text) || statement_is_before_queries(text))
        return OBSTACLE_NONE;
    return around->is_in_block ? OBSTACLE_REFUSED_IN_BLOCK : OBSTACLE_REFUSED;
}

/* 2D000: COMMIT or ROLLBACK in a procedure's body. A function may have neither anywhere. */
static enum obstacle of_termination(const struct surroundings *around, struct scanner text)
{
    if (!statement_may_commit(text))
        return OBSTACLE_NONE;
    return around->is_in_block ? OBSTACLE_REFUSED_IN_BLOCK : OBSTACLE_REFUSED;
}

static enum obstacle of_new_value(const struct surroundings *around)
{
    if (!around->has_value)
        return OBSTACLE_VALUE_HIDDEN;
    if (around->is_in_block)
        return OBSTACLE_VALUE_IN_BLOCK;
    return around->is_bound ? OBSTACLE_VALUE_HIDDEN : OBSTACLE_VALUE;
}

enum obstacle obstacle_of(struct script_reader script, size_t number, const char *sqlstate)
{
    bool is_active = strcmp(sqlstate, "25001") == 0;
    bool is_termination = strcmp(sqlstate, "2D000") == 0;
    struct surroundings around = { .is_in_block = false };
    struct scanner text = script.scanner;
    struct statement statement;
    struct error ignored;

    if (!is_active && !is_termination && strcmp(sqlstate, "55P04") != 0)
        return OBSTACLE_NONE;
    for (size_t i = 0; script_next(&script, &statement, &ignored) == SCRIPT_STATEMENT; i++) {
        text.offset = statement.start;
        text.length = statement.end;
        if (i == number && is_active)
            return of_active_transaction(&around, text);
        if (i == number)
            return is_termination ? of_termination(&around, text) : of_new_value(&around);
        pass(&around, &statement, text);
    }
    return OBSTACLE_NONE;
}

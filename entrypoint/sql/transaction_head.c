#include "sql/transaction_head.h"

struct transaction_head transaction_head_of(struct script_reader script, size_t start, size_t end)
{
    struct transaction_head head = { .start = start, .rest = end };
    struct scanner within = script.scanner;
    struct statement statement;
    struct error ignored;

    script.scanner.offset = script.counted = start; /* the number of the line does not matter */

    for (size_t passed = 0; script_next(&script, &statement, &ignored) == SCRIPT_STATEMENT; passed++) {
        if (passed == head.statements)
            head.rest = statement.start < end ? statement.start : end;
        within.offset = statement.start;
        within.length = statement.end;
        if (statement.start >= end || statement.kind != KIND_PLAIN || !statement_is_before_queries(within))
            return head;
        if (statement_sets_transaction(within))
            head = (struct transaction_head) {
                .statements = passed + 1, .start = start, .end = statement.end, .rest = end
            };
    }
    return head;
}

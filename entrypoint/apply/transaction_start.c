#include "apply/transaction_start.h"

#include "postgres/query.h"

bool transaction_start(struct execution *execution, const struct transaction_head *head, size_t first,
                       struct text *sql, struct error *err)
{
    if (head->statements == 0)
        return true;
    if (!query_several(execution->conn, &(const struct query) { .name = "begin", .sql = sql->at }, NULL, 0,
                       err) ||
        !execution_send(execution, head->start, head->end, first, err))
        return false;
    text_reset(sql);
    return true;
}

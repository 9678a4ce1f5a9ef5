#include "apply/transaction_end.h"

#include "base/log.h"
#include "postgres/pooler.h"
#include "postgres/query.h"

void transaction_roll_back(struct execution *execution, const struct text *before)
{
    auto_text struct text sql = text_init(8 * POOLER_LOOK_MOST);
    struct error err;

    if (before->length > 0 && !connection_is_lost(execution->conn) &&
        connection_is_in_transaction(execution->conn)) {
        connection_shield(execution->conn, true);
        text_add_string(&sql, "ROLLBACK;");
        pooler_add_release(before, &sql);
        if (!query_several(execution->conn, &(const struct query) { .name = "release", .sql = sql.at }, NULL,
                           0, &err))
            log_warn("could not clean up the session behind the pooler: %s", err.message);
    }
    execution_roll_back(execution->conn);
}

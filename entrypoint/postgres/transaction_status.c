#include "postgres/transaction_status.h"

#include "base/memory.h"
#include "base/names.h"
#include "postgres/query.h"

/* The server's names for them. */
const char *const TRANSACTION_STATUS_NAMES[] = {
    [TRANSACTION_COMMITTED] = "committed",
    [TRANSACTION_ABORTED] = "aborted",
    [TRANSACTION_RUNNING] = "in progress",
    [TRANSACTION_FORGOTTEN] = "forgotten",
};
_Static_assert(sizeof TRANSACTION_STATUS_NAMES / sizeof *TRANSACTION_STATUS_NAMES == TRANSACTION_STATUSES,
               "name every status");

/* The server raises an error for an id from its future, which is possible after a failover. */
static const struct query TRANSACTION_STATUS = {
    .name = "transaction_status",
    .parameters = 1,
    .sql =
        "SELECT CASE WHEN $1::bigint OPERATOR(pg_catalog.<)"
        " pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())"
        "            THEN pg_catalog.txid_status($1::bigint) END",
};

bool transaction_status_ask(struct connection *conn, const char *txid, enum transaction_status *out,
                            struct error *err)
{
    const char *const parameters[] = { txid };
    auto_result struct result *result = NULL;
    int found;

    if (!query_run(conn, &TRANSACTION_STATUS, parameters, &result, err))
        return false;
    found = names_find(TRANSACTION_STATUS_NAMES, TRANSACTION_STATUSES, slice_of(result_text(result, 0, 0)));
    *out = found < 0 ? TRANSACTION_FORGOTTEN : (enum transaction_status)found;
    return true;
}

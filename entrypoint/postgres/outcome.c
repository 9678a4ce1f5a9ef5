#include "postgres/outcome.h"

#include "base/memory.h"
#include "base/names.h"
#include "postgres/query.h"

/* In the server's own words. */
const char *const OUTCOME_NAMES[] = {
    [OUTCOME_COMMITTED] = "committed",
    [OUTCOME_ABORTED] = "aborted",
    [OUTCOME_RUNNING] = "in progress",
    [OUTCOME_FORGOTTEN] = "forgotten",
};
_Static_assert(sizeof OUTCOME_NAMES / sizeof *OUTCOME_NAMES == OUTCOMES, "name every outcome");

/* The server raises an error for an id from its future, which a failover can bring about. */
static const struct query OUTCOME = {
    .name = "transaction_outcome",
    .parameters = 1,
    .sql =
        "SELECT CASE WHEN $1::bigint < pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())"
        "            THEN pg_catalog.txid_status($1::bigint) END",
};

bool outcome_ask(struct connection *conn, const char *txid, enum outcome *out, struct error *err)
{
    const char *const parameters[] = { txid };
    auto_result struct result *result = NULL;
    int found;

    if (!query_run(conn, &OUTCOME, parameters, &result, err))
        return false;
    found = names_find(OUTCOME_NAMES, OUTCOMES, slice_of(result_text(result, 0, 0)));
    *out = found < 0 ? OUTCOME_FORGOTTEN : (enum outcome)found;
    return true;
}

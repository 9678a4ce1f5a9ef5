/*
 * A COMMIT whose answer was lost: its result is looked up, never guessed.
 */
#ifndef DEPLOY_LOST_COMMIT_H
#define DEPLOY_LOST_COMMIT_H

#include "execution/execution.h"

/* Whether that transaction has not ended yet: behind a pooler, no lock keeps us from reconnecting while it
 * still commits. Call it before the ledger is read. `conn` is a new connection. */
must_use bool lost_commit_is_running(const struct execution *execution, struct connection *conn,
                                     bool *is_running, struct error *err);

/* `has_row`: the ledger, read after that transaction ended, has a row for the migration. The row commits with
 * the script, so it decides. *is_ours says whether we applied the migration; if there is a row, but our
 * transaction did not commit, another process has applied it in the meantime. ERROR_REFUSED when the ledger
 * and the server disagree. */
must_use bool lost_commit_settle(struct execution *execution, struct connection *conn, bool has_row,
                                 bool *is_ours, struct error *err);

#endif

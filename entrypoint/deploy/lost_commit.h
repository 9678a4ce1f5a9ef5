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

/* `is_recorded`: the ledger, read after that transaction ended, says that the migration is applied; of an
 * inverse, that it is not. That commits with the script, so it decides. *is_ours says whether it was we; if
 * it is recorded, but our transaction did not commit, another process has done it in the meantime.
 * ERROR_REFUSED when the ledger and the server disagree. */
must_use bool lost_commit_settle(struct execution *execution, struct connection *conn, bool is_recorded,
                                 bool *is_ours, struct error *err);

#endif

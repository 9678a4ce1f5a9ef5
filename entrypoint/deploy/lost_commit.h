/*
 * A COMMIT whose answer was lost: what became of it is looked up, never guessed.
 */
#ifndef DEPLOY_LOST_COMMIT_H
#define DEPLOY_LOST_COMMIT_H

#include "execution/execution.h"

/* Whether that transaction has not ended yet: behind a pooler no lock keeps us from coming back while it
 * still commits. Ask before the ledger is read. `conn` is a new connection. */
must_use bool lost_commit_is_running(const struct execution *execution, struct connection *conn,
                                     bool *is_running, struct error *err);

/* `has_row`: the ledger, read after that transaction ended, has a row for the migration. It commits with the
 * script, so it is the truth. *is_ours says whether the migration was applied by us; with a row but without
 * our transaction another process has applied it, which led while we were gone. ERROR_REFUSED when ledger and
 * server disagree. */
must_use bool lost_commit_settle(struct execution *execution, struct connection *conn, bool has_row,
                                 bool *is_ours, struct error *err);

#endif

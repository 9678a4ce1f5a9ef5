/*
 * Attempts: what is unfinished or has failed of a tool whose ledger has no room for it, in a table of the
 * journal (dialect/attempts.h), one for each ledger.
 *
 * The tool's ledger is the truth about what is applied: an attempt counts only while that does not have its
 * migration.
 */
#ifndef HISTORY_ATTEMPTS_H
#define HISTORY_ATTEMPTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "history/ledger.h"
#include "postgres/connection.h"

/* The table's name, as a query of the journal has it. Lives in the arena. */
const char *attempts_table(struct arena *arena, const char *ledger_schema, const char *ledger_name);

/* Adds the attempts that count to the rows of `ledger`, and finds out whether the table is there. No journal,
 * or one that this role may not use, is no error. */
must_use bool attempts_read(struct arena *arena, struct connection *conn, enum ledger_depth depth,
                            struct ledger *ledger, struct error *err);

/* Deletes those that do not count any more because somebody else has applied their migrations: taken back,
 * these would be resumed. For the leader. */
must_use bool attempts_forget_stale(struct connection *conn, struct ledger *ledger, struct error *err);

/* Creates the table if necessary, and the journal. ERROR_CLEAN if there is no place for it, with what an
 * administrator can type. Does nothing where the ledger keeps attempts. */
must_use bool attempts_open(struct connection *conn, struct ledger *ledger, struct error *err);

#endif

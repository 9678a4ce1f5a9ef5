/*
 * What the statement at which a migration was interrupted has left behind, from the journal: for who records
 * the migration by hand.
 */
#ifndef REPAIR_INTERRUPTED_H
#define REPAIR_INTERRUPTED_H

#include "base/error.h"
#include "history/ledger.h"
#include "repair/leftover.h"

/* Looks, for an unfinished row of the ledger; changes nothing. `out->what` is empty if nothing is left, or
 * only what is complete. */
must_use bool interrupted_look(struct connection *conn, const struct ledger *ledger,
                               const struct ledger_row *row, struct leftover *out, struct error *err);

#endif

/*
 * What the statement at which a migration was interrupted has left behind, from the journal or, without one,
 * from its script and the catalog: for who records the migration by hand.
 */
#ifndef REPAIR_INTERRUPTED_H
#define REPAIR_INTERRUPTED_H

#include "base/error.h"
#include "history/ledger.h"
#include "repair/leftover.h"

struct interrupted {
    const struct ledger_row *row; /* unfinished */
    struct slice script;          /* of the migration as it is now, or empty */
};

/* Looks, for an unfinished row of the ledger; changes nothing. `out->what` is empty if nothing is left, or
 * only what is complete; it `is_ours` only where the journal proves it. `script` is the migration's as it is
 * now, or empty. The session gets the search_path of the URL. */
must_use bool interrupted_look(struct connection *conn, const struct ledger *ledger,
                               const struct interrupted *which, struct leftover *out, struct error *err);

#endif

/*
 * What a broken CREATE or DROP INDEX CONCURRENTLY left behind, and getting rid of it.
 *
 * An INVALID index is dropped only when it is proven to be ours: on that table, of that name, younger than
 * the intent that was committed before the statement, backing no constraint, and nobody building it now.
 */
#ifndef APPLY_REPAIR_H
#define APPLY_REPAIR_H

#include "apply/applying.h"
#include "history/sidecar.h"

enum repair_answer {
    REPAIR_RUN,     /* nothing stands in the way: run the statement */
    REPAIR_DONE,    /* the interrupted statement had done its work */
    REPAIR_REFUSED, /* an INVALID index that isn't provably ours: `err` names it and the statement for a
                       person */
    REPAIR_ERROR,
};

/* Looks at what stands in the way of `statement`, before it runs again, and clears it away where it may. */
must_use enum repair_answer repair_before(const struct applying *applying, const struct statement *statement,
                                          const struct intent *intent, struct error *err);

/* After the statement failed on this very session: drops the INVALID index it left. False when one remains;
 * then `left` names it. */
must_use bool repair_after(const struct applying *applying, const struct statement *statement,
                           const struct intent *intent, struct text *left);

/* After it succeeded: whether the index is there and valid (IF NOT EXISTS is content with an INVALID one). */
must_use bool repair_verify(const struct applying *applying, const struct statement *statement,
                            struct error *err);

#endif

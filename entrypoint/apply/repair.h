/*
 * What a broken statement that cannot run in a transaction left behind, and getting rid of it.
 *
 * Something is cleared away only when it is proven to be ours: of that name, on that table, of that
 * definition, younger than the intent that was committed before the statement, and in nobody's use. Where a
 * proof is missing, a person gets the statement to type.
 */
#ifndef APPLY_REPAIR_H
#define APPLY_REPAIR_H

#include "execution/execution.h"
#include "history/sidecar.h"

enum repair_answer {
    REPAIR_RUN,     /* nothing stands in the way: run the statement */
    REPAIR_DONE,    /* the interrupted statement had done its work, or that was completed */
    REPAIR_REFUSED, /* something that isn't provably ours: `err` names it and the statement for a person */
    REPAIR_ERROR,
};

/* What remains after a failure. */
struct leftover {
    bool is_ours;      /* the next run clears it away */
    char what[512];    /* "the INVALID index x remains" */
    char remedy[1024]; /* what a person would type, without a semicolon */
};

/* Whether the statement can leave something behind: then no time-out of the server may end it. The others are
 * all or nothing. */
bool repair_may_be_needed(const struct execution *execution, const struct statement *statement);

/* Looks at what stands in the way of `statement`, and clears it away where it may. `intent` is that of an
 * interrupted run, if there was one. */
must_use enum repair_answer repair_before(struct execution *execution, const struct statement *statement,
                                          const struct intent *intent, struct error *err);

/* After the statement failed on this very session: clears away what it left. False when something remains. */
must_use bool repair_after(struct execution *execution, const struct statement *statement,
                           const struct intent *intent, struct leftover *left);

/* For when it can't be looked at what remains: what the error says, and that the next run will see to it if
 * the intent is known. Returns false. */
bool leftover_unknown(struct leftover *left, const struct intent *intent, const struct error *err);

/* After statements succeeded, from byte `start` to `end` of the script: whether the indexes that they wanted
 * are valid. CREATE INDEX IF NOT EXISTS is content with an INVALID one. */
must_use bool repair_verify(struct execution *execution, size_t start, size_t end, struct error *err);

#endif

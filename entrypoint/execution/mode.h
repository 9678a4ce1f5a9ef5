/*
 * How a script is applied: decided from its statements and its directives. Pure.
 */
#ifndef EXECUTION_MODE_H
#define EXECUTION_MODE_H

#include "base/error.h"
#include "dialect/dialect.h"
#include "sql/directive.h"
#include "sql/script.h"

/* Atomic: the script and its ledger row commit in one transaction of ours. Self-managed: the script controls
 * its own transactions; each commits together with its progress. Stepwise: something in it cannot run in a
 * transaction block; each statement runs on its own. Backfill: a directive splits its one UPDATE into many
 * small transactions. */
enum mode { MODE_ATOMIC, MODE_SELF_MANAGED, MODE_STEPWISE, MODE_BACKFILL, MODES };

extern const char *const MODE_NAMES[];

/* What a script says about how it wants to be applied. */
struct mode_question {
    const char *file;
    struct slice script;
    const struct script_summary *summary;
    const struct directives *directives;
    enum script_transaction transaction; /* what its tool would do */
    const char *transaction_hint;        /* … and how it is told not to use one, or NULL */
    const char *mixed_hint;              /* its wishes', see dialect.h */
};

/* Refuses (ERROR_CLEAN, with the place) what would only half work: a BEGIN without COMMIT, a directive that
 * contradicts the script, two-phase commit, chained transactions; a ROLLBACK that no BEGIN precedes, which
 * would come after the COMMIT of what it should undo. */
must_use bool mode_decide(const struct mode_question *question, enum mode *out, struct error *err);

#endif

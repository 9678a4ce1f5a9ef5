/*
 * A ledger that is a marker: all it says is the last migration that is applied, so that every one before it
 * counts as applied as well.
 */
#ifndef HISTORY_MARKER_H
#define HISTORY_MARKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "history/ledger.h"
#include "history/migration.h"

/* Whether `migration`, one of the folder's, may be recorded as applied `after` another (or NULL): all between
 * them is applied. ERROR_REFUSED otherwise. Any may, where the ledger is no marker. Puts into `*anchor` what
 * ledger_anchor() says. */
must_use bool marker_check(const struct ledger *ledger, const struct migration *migration,
                           const struct migration *after, const char **anchor, struct error *err);

#endif

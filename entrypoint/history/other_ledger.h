/*
 * Ledgers of other tools: a table that is called like ours and is not, and one beside which ours would be
 * begun.
 *
 * Whose folder and whose ledger it is, is never guessed: where they do not fit, a person has to say.
 */
#ifndef HISTORY_OTHER_LEDGER_H
#define HISTORY_OTHER_LEDGER_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "history/ledger.h"
#include "postgres/connection.h"
#include "postgres/query.h"

/* Whether the table that was read is a ledger of the dialect; `guarded` is the guard's row about it, with
 * its shape. ERROR_REFUSED otherwise: says whose it is. */
must_use bool other_ledger_check_shape(struct connection *conn, const struct dialect *dialect,
                                       const struct result *guarded, struct error *err);

/* Before a ledger is created: whether no other tool has one where it would be. ERROR_REFUSED otherwise. */
must_use bool other_ledger_check(struct connection *conn, const struct ledger *ledger, struct error *err);

/* Adds a sentence about such a ledger, or nothing: for an error that has been found already. */
void other_ledger_add(struct connection *conn, const struct ledger *ledger, struct text *out);

/* Whether the database has the ledger of this dialect. The schema is the URL's, or NULL. */
must_use bool other_ledger_find_own(struct connection *conn, const struct dialect *dialect,
                                    const char *schema, bool *has_ledger, struct error *err);

#endif

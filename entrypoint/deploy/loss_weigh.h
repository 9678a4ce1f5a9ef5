/*
 * What one statement of an inverse would lose, by its text and the rows that are there. Of this room.
 */
#ifndef DEPLOY_LOSS_WEIGH_H
#define DEPLOY_LOSS_WEIGH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "deploy/loss.h"

/* Something that would be lost. */
struct victim {
    const char *schema;
    const char *table;
    const char *column; /* "" = the table's rows */
};

/* Whether that name stands among what may be lost. */
bool loss_is_named(const struct loss_guard *guard, const char *name);

/* Whether that is named among what may be lost. */
bool loss_is_allowed(const struct loss_guard *guard, const struct victim *victim);

/* Whether an array, as text, has that element. */
bool loss_is_listed(const struct text *keys, const char *key);

/* Whether the table of that oid was there before the inverse's transaction: what a script makes for itself is
 * its own. Temporary tables are not. */
bool loss_is_old(const struct loss_guard *guard, const char *oid);

/* All of the command that lets go of that, too: what this one says stays said. Returns its text. */
const char *loss_add_command(const struct loss_guard *guard, const char *name, struct text *out);

/* ERROR_REFUSED, with what to type. `what` is "drops column", `lost` what follows the
 * name: ", which holds 3 values". Returns false. */
bool loss_refuse(const struct loss_guard *guard, const struct victim *victim, const char *what,
                 const char *lost, struct error *err);

/* Counts what statement `number` of the script would lose. With `is_locking`, in its transaction, nobody can
 * add any afterwards; otherwise it only looks. */
must_use bool loss_weigh(struct loss_guard *guard, struct connection *conn, size_t number, bool is_locking,
                         struct error *err);

#endif

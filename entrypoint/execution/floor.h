/*
 * The floor of the migration that is applied, written with its row of the ledger (history/floor.h).
 */
#ifndef EXECUTION_FLOOR_H
#define EXECUTION_FLOOR_H

#include "base/error.h"
#include "execution/execution.h"
#include "history/floor.h"

/* Takes it from the script's directives. A shadow database has none, nor has an inverse. */
void execution_take_floor(struct execution *execution);

/* Whether it has one, or one is recorded of it, which would have to be taken away. */
bool execution_has_floor(const struct execution *execution);

/* Looks for its place: before the transaction that execution_add_floor() is for. */
must_use bool execution_prepare_floor(struct execution *execution, struct error *err);

/* Adds what writes it, or takes it away, and returns how many items that is. */
size_t execution_add_floor(struct execution *execution, struct batch_item items[FLOOR_ITEMS_MOST]);

#endif

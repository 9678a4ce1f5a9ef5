/*
 * The ledger's rows as the folder calls them.
 */
#ifndef HISTORY_ROWS_H
#define HISTORY_ROWS_H

#include "base/memory.h"
#include "history/ledger.h"

/* Where the ledger is a marker: a row for each migration of its folder up to that. Where the dialect has
 * baselines: a row for each that one of them stands for, and for each that is not needed. */
void rows_expand(struct arena *arena, struct ledger *ledger);

/* Gives each row the name that its key has in the ledger's folder; one that is not there is called by its
 * key. Rows that have no id of their own get theirs. */
void rows_name(struct arena *arena, struct ledger *ledger);

#endif

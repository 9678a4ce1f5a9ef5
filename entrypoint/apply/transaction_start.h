/*
 * The start of a transaction of ours around a part of a script.
 */
#ifndef APPLY_TRANSACTION_START_H
#define APPLY_TRANSACTION_START_H

#include "execution/execution.h"
#include "sql/transaction_head.h"

/* If the script's part has a head, sends `sql` (which begins the transaction) and the head, whose first
 * statement is number `first` of the script, and empties `sql`: the caller's first query comes after it.
 *
 * A level like SERIALIZABLE then also holds for our own queries, whose snapshot is taken by the first of
 * them. The leader lock of the session was obtained before BEGIN, so that snapshot holds all that a former
 * leader committed. */
must_use bool transaction_start(struct execution *execution, const struct transaction_head *head,
                                size_t first, struct text *sql, struct error *err);

#endif

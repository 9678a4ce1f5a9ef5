/*
 * The start of a transaction of ours around a part of a script.
 */
#ifndef APPLY_TRANSACTION_START_H
#define APPLY_TRANSACTION_START_H

#include "execution/execution.h"
#include "sql/transaction_head.h"

/* Adds BEGIN and the settings, for a transaction that holds the whole script. */
void transaction_start_add(struct execution *execution, const struct transaction_head *head,
                           struct text *sql);

/* Adds the facts that it begins with: its id, the time, whether the key is ours; a statement that returns a
 * row. What `follows` in the same message must not be run if the key is not to be had: a division by zero
 * keeps the server from it. */
void transaction_start_add_facts(struct execution *execution, bool follows, struct text *sql);

/* The same, without its id, for one of several in a message. */
void transaction_start_add_time(struct execution *execution, struct text *sql);

/* If the script's part has a head, sends `sql` (which begins the transaction) and the head, whose first
 * statement is number `first` of the script, and empties `sql`: the caller's first query comes after it.
 *
 * A level like SERIALIZABLE then also holds for our own queries, whose snapshot is taken by the first of
 * them. The leader lock of the session was obtained before BEGIN, so that snapshot holds all that a former
 * leader committed. */
must_use bool transaction_start(struct execution *execution, const struct transaction_head *head,
                                size_t first, struct text *sql, struct error *err);

#endif

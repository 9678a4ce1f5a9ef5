/*
 * The start of a transaction: what has to come before its first query. Pure.
 *
 * SET TRANSACTION and its kin fail once a query has run (documentation, "SET TRANSACTION"); statements that
 * take no snapshot may stand before them. In a transaction of ours the first query would be our own, so the
 * head is sent between BEGIN and that.
 */
#ifndef SQL_TRANSACTION_HEAD_H
#define SQL_TRANSACTION_HEAD_H

#include <stddef.h>

#include "sql/script.h"

struct transaction_head {
    size_t statements; /* 0 = there is none */
    size_t start;      /* byte offsets in the script: of the first of them … */
    size_t end;        /* … past the last … */
    size_t rest;       /* … and of the statement after it, or the end of all */
};

/* The head of the statements of `script` from byte `start`, where one of them begins, to byte `end`. */
struct transaction_head transaction_head_of(struct script_reader script, size_t start, size_t end);

#endif

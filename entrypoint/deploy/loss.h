/*
 * What an inverse would lose: rows and values, counted in its own transaction, under a lock that lets nobody
 * add any before they are gone.
 *
 * Each statement is looked at before it runs. What its text does not show (CASCADE, a function, DO) is found
 * afterwards, by what is missing then; the transaction has not been committed.
 */
#ifndef DEPLOY_LOSS_H
#define DEPLOY_LOSS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "execution/execution.h"

/* What the statement at hand, a plain UPDATE, assigns to. */
struct assigned {
    bool is_known; /* it is one, and its columns are not too many */
    char schema[IDENTIFIER_SIZE];
    char table[IDENTIFIER_SIZE];
    char column[IDENTIFIER_SIZE]; /* one that was there before and may not be lost; "" = none of them is */
};

/* What an execution of an inverse is observed by. */
struct loss_guard {
    struct observer observer; /* the first member */
    const struct names *allowed;
    bool *is_met;   /* of each of `allowed`: something that an inverse touches has this name */
    const char *to; /* --to, or NULL */
    bool is_all;    /* --all */
    const struct execution *execution; /* the one at hand */
    struct text
        keys; /* of the tables and columns that were there when its transaction began, as an array … */
    struct text names;   /* … what they are called … */
    struct text files;   /* … and in which file a table's rows are, if it has any … */
    struct text types;   /* … of which type a column is … */
    struct text settled; /* … and of those that have been looked at, as such an array without its end */
    bool is_blind; /* looking on before anything runs: what came before may change what names or rows are
                      there */
    struct slice statement; /* the one at hand, while its script is there … */
    size_t line;            /* … and where it begins */
    size_t unseen_from;  /* the line of this script from which on not all could be counted before it runs; 0 =
                            none */
    bool has_unseen;     /* there was such a script */
    struct text counted; /* tables of which this session had deleted or changed rows before … */
    struct text deleted; /* … how many were deleted … */
    struct text updated; /* … and how many changed, as arrays */
    struct assigned assigned;
    char limit[32]; /* the statement_timeout that the script has set */
};

/* It must stay where it is; what may be lost is said by --allow-loss. */
void loss_guard_begin(struct loss_guard *guard, const struct config *config,
                      const struct execution *execution);
void loss_guard_end(struct loss_guard *guard);

/* The same before anything runs, without a lock: what the statements of this execution's script would lose of
 * what is there now. ERROR_REFUSED for that; what cannot be told now is left to the guard. */
must_use bool loss_foresee(struct loss_guard *guard, struct execution *execution, struct error *err);

/* Warns of the names in --allow-loss that nothing had, once all that they could name has been seen. */
void loss_warn_unmet(const struct loss_guard *guard);

#endif

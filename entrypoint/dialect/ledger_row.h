/*
 * One row of the ledger, as far as it was read.
 */
#ifndef DIALECT_LEDGER_ROW_H
#define DIALECT_LEDGER_ROW_H

#include <stdbool.h>
#include <stdint.h>

/* Finished and not rolled back = applied; neither = failed, or being applied right now; rolled back =
 * ignored. */
struct ledger_row {
    const char *name; /* of the migration, or, if the folder has none, its key */
    const char *key;  /* as the ledger has it; NULL = the ledger has no such row */
    bool is_finished;
    bool is_rolled_back;
    bool
        is_passed; /* the ledger has no such row: a baseline stands for it, or it is one that is not needed */
    const char *checksum; /* NULL = not read */
    const char *id;
    /* Of unfinished rows, and of all where details were read: */
    const char *started_at; /* "2026-01-31T12:00:00.000Z" (RFC 3339) */
    int64_t steps;
    const char *logs; /* may be NULL */
    /* Of finished rows where details were read: */
    const char *finished_at;
    int64_t took_ms; /* -1 = not known */
};

#endif

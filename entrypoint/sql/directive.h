/*
 * Directives: what a script tells tidelock, in SQL comments before its first statement.
 *
 *     -- tidelock: transaction=off lock-timeout=5s statement-timeout=30m
 *     -- tidelock: restore-point require-backup=24h
 *     -- tidelock: assert wait=10m NOT EXISTS (SELECT FROM orders WHERE status_new IS NULL)
 *     -- tidelock: assert after (SELECT count(*) FROM orders) > 0
 *
 * Backfills have directives of their own: sql/backfill.h.
 *
 * To every other tool they are comments. One that would not be obeyed is an error, never ignored.
 */
#ifndef SQL_DIRECTIVE_H
#define SQL_DIRECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "sql/backfill.h"

enum transaction_wish {
    TRANSACTION_AUTO, /* as the script's statements need it */
    TRANSACTION_ON,
    TRANSACTION_OFF,
    TRANSACTION_WISHES
};

/* What must be true before the migration begins, or before it is committed. */
struct assertion {
    struct slice expression; /* SQL, a part of the script */
    bool is_after;
    int64_t wait_ms; /* how long it may take to become true; never with is_after */
};

/* A migration that waits for the sessions of older releases to end. */
struct contract_wish {
    bool is_said;
    bool is_strict; /* … and for those that tell no release */
    int64_t wait_ms;
};

enum { ASSERTIONS_MOST = 8 };

struct directives {
    enum transaction_wish transaction;
    int64_t lock_timeout_ms; /* -1 = not given; so for the next */
    int64_t retry_for_ms;
    int64_t statement_timeout_ms;
    int64_t migration_timeout_ms;
    int64_t require_backup_ms;
    bool wants_restore_point;
    struct slice floor; /* the oldest release that can run after it, which has an order; empty = not given */
    struct contract_wish contract; /* only with a floor */
    struct assertion assertions[ASSERTIONS_MOST];
    size_t assertion_count;
    struct backfill_wish backfill;
    struct throttle_wish throttle;
    struct slice verify; /* SQL: what is true when the backfill is complete; empty = not given */
};

enum directive_type {
    DIRECTIVE_WISH, /* "name=value", of which a line may have several … */
    DIRECTIVE_TIME,
    DIRECTIVE_RELEASE,
    DIRECTIVE_FLAG, /* the name alone, likewise */
    DIRECTIVE_LINE, /* the rest of the line is its own */
};

struct directive_reading;

struct directive {
    const char *name;
    const char *usage;   /* how it is written, without "-- tidelock: " */
    const char *meaning; /* in sentences */
    enum directive_type type;
    size_t field; /* of struct directives, unless it is a line */
    bool (*read)(struct directive_reading *reading, struct slice words, struct error *err); /* of a line */
};

/* All there are; the manual and help list them. Ends with a NULL name. */
extern const struct directive DIRECTIVES[];

/* Where they stand and how they are written, in sentences. */
extern const char DIRECTIVES_ABOUT[];

/* Reads the directives before the first statement of `bytes`, from one or several comments. ERROR_CLEAN, with
 * the place in `file`, for an unknown key, an invalid value, a key given twice, a directive in a block
 * comment or after the first statement, and a comment that begins with our name and is no directive. */
must_use bool directive_parse(const char *file, struct slice bytes, struct directives *out,
                              struct error *err);

#endif

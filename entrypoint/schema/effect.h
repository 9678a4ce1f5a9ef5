/*
 * What statements do to a live database: the catalogue of rules. Pure.
 *
 * Locks and work are what servers of 13 to 18 have shown: a test runs the example of every rule on each of
 * them and compares.
 */
#ifndef SCHEMA_EFFECT_H
#define SCHEMA_EFFECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "sql/grammar.h"

/* From the weakest; each conflicts with at least what the one before it conflicts with. */
enum table_lock {
    TABLE_LOCK_NONE,
    TABLE_LOCK_ACCESS_SHARE,
    TABLE_LOCK_ROW_SHARE,
    TABLE_LOCK_ROW_EXCLUSIVE,
    TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE,
    TABLE_LOCK_SHARE,
    TABLE_LOCK_SHARE_ROW_EXCLUSIVE,
    TABLE_LOCK_EXCLUSIVE,
    TABLE_LOCK_ACCESS_EXCLUSIVE,
    TABLE_LOCKS
};

/* "AccessExclusiveLock", as pg_locks has it; empty for none. */
extern const char *const TABLE_LOCK_NAMES[];

/* What others cannot do meanwhile: "reads and writes wait"; empty for none. */
extern const char *const TABLE_LOCK_WAITS[];

/* What is done while the lock is held, the least first. */
enum work { WORK_INSTANT, WORK_SCAN, WORK_INDEX, WORK_REWRITE, WORKS };

extern const char *const WORK_NAMES[];

/* The worst comes first where findings are sorted. */
enum level { LEVEL_SAFE, LEVEL_CAREFUL, LEVEL_UNKNOWN, LEVEL_DANGEROUS, LEVELS };

extern const char *const LEVEL_NAMES[];

struct rule {
    const char *name;
    enum action action;
    unsigned with;    /* traits that a change must have … */
    unsigned without; /* … and must not have */
    bool otherwise;   /* only where no rule before it has matched */
    int since;        /* the first major version that does so; 0 = every supported one */
    int until;        /* the last one, or 0 */
    enum table_lock lock;
    enum table_lock other_lock; /* on the other table that is concerned */
    enum work work;
    enum level level;
    bool breaks_old_code; /* what runs now may fail, or see what it does not expect */
    bool is_final;        /* what it removes cannot be brought back */
    bool varies;          /* how much it does depends on what only a database shows */
    const char *reason;   /* one sentence */
    const char *cure;     /* the safe way, or NULL; effect_add_filled() completes both */
    const char
        *example; /* on the tables of tests/integration/test_effect.py; empty = it can't be shown there */
    const char *source; /* the page of PostgreSQL's documentation, or SAFETY */
};

/* Ends with a NULL name. */
extern const struct rule RULES[];

/* Rules of the script as a whole and of what nobody understands. */
extern const struct rule RULE_NOT_UNDERSTOOD;
extern const struct rule RULE_NEW_TABLE;
extern const struct rule RULE_VALIDATED_TOO_SOON;
extern const struct rule RULE_ROWS_UNDER_LOCK;
extern const struct rule RULE_QUERY_UNDER_LOCK;
extern const struct rule RULE_UNUSED_ALLOW;
extern const struct rule RULE_NOT_NULL_PROVEN;
extern const struct rule RULE_BACKFILL;
extern const struct rule RULE_IN_TRANSACTION;

/* Rules of the rehearsal. */
extern const struct rule RULE_DIFFERS;
extern const struct rule RULE_REHEARSAL_FAILED;
extern const struct rule RULE_NOT_REHEARSED;

enum { RULES_OF_CHANGE_MOST = 8 };

/* The rules that apply to a change on a server of that major version (0 = of any), at most
 * RULES_OF_CHANGE_MOST; at least one. */
size_t effect_find(const struct change *change, int major, const struct rule *found[RULES_OF_CHANGE_MOST]);

/* The rule of that name, or NULL. */
const struct rule *effect_named(const char *name);

/* Walks through all of them: the first after NULL, NULL after the last. */
const struct rule *effect_next(const struct rule *rule);

/* Adds a rule's reason or cure with the names and texts of this statement, on one line. */
void effect_add_filled(const char *template, const struct change *change, struct slice statement,
                       struct text *out);

#endif

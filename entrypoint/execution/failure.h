/*
 * What a failure means: its class, what the database holds now, what to do next. The only place that decides
 * this.
 *
 * "Nothing" is said only where it is proven: the transaction was rolled back or never committed, and anything
 * that a statement outside of one could leave was looked for. Pure.
 */
#ifndef EXECUTION_FAILURE_H
#define EXECUTION_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "execution/mode.h"
#include "execution/obstacle.h"

/* What a statement that cannot run in a transaction left behind. */
enum failure_leftover {
    LEFTOVER_NOTHING,
    LEFTOVER_OURS,      /* the next run cleans it up */
    LEFTOVER_PERSON,    /* not provably ours: a person has to check */
    LEFTOVER_COMMITTED, /* what a statement that commits by itself had committed before it was stopped */
    LEFTOVERS
};

struct failure_facts {
    enum error_class class; /* as the place that failed knew it */
    const char *sqlstate;   /* "" = not the server's */
    enum mode mode;
    bool is_resuming; /* the ledger has an unfinished row of an earlier run */
    bool has_begun;   /* this run has sent something of the migration */
    bool has_effect; /* something that outlives the session was committed, by an earlier run or by this one */
    bool has_escaped;    /* the script ended the transaction that it ran in */
    bool is_in_doubt;    /* the answer to an atomic migration's COMMIT was lost */
    bool is_rolled_back; /* known for certain: the connection was alive */
    bool is_connected;   /* it is alive, or was until everything was rolled back */
    enum failure_leftover leftover;
    enum obstacle obstacle; /* why it failed in its transaction */
    bool is_pooled;         /* behind a pooler in transaction mode */
    bool insists_on_one;    /* its directive asks for one transaction */
    bool is_stuck;          /* it cannot be resumed: what the rest needs ended with its session */
    bool has_hint;          /* the error already has a hint */
    bool has_blocker;       /* the blocker is known */
    bool is_inverse;        /* it undoes a migration, in one transaction */
    bool is_unrecorded;     /* the last statement that is done, and that no later run can find to be */
};

/* What the database holds. */
enum failure_holds {
    HOLDS_NOTHING,  /* nothing of this migration, proven */
    HOLDS_COMMIT,   /* all or nothing: the COMMIT is in doubt */
    HOLDS_UNKNOWN,  /* what was committed before, and possibly what was in progress */
    HOLDS_PERSISTS, /* what was committed, and what was left over */
    HOLDS_LEFTOVER, /* only what was left over */
    HOLDS_ESCAPED,  /* whatever the script committed by itself */
    HOLDS_EARLIER,  /* what an earlier run did */
    FAILURE_HOLDS
};

/* What to do. */
enum failure_next {
    NEXT_SAID,           /* the hint that the error already has */
    NEXT_CORRECT,        /* correct the script, deploy again */
    NEXT_NO_TRANSACTION, /* the same, with transaction=off */
    NEXT_NOT_ONE,        /* the same, without transaction=on */
    NEXT_DIRECT,         /* the same, without the pooler */
    NEXT_OUT_OF_BLOCK,   /* move the statement behind the script's own COMMIT */
    NEXT_COMMIT_VALUE,   /* commit a new value of an enum before it is used */
    NEXT_OWN_MIGRATION,  /* … in a migration of its own */
    NEXT_SET_FIRST,      /* set the isolation level before the first query */
    NEXT_GO_ON_CORRECTED,
    NEXT_BEGIN_AGAIN, /* deploy again to resume with the migration */
    NEXT_GO_ON,       /* deploy again to resume where it stopped */
    NEXT_FINISH,      /* a person finishes or undoes it */
    NEXT_FIND_OUT,    /* deploy again: it finds out what was done */
    NEXT_BLOCKER,     /* wait for a session that is known */
    NEXT_TABLE,       /* wait for the table */
    NEXT_REMEDY,      /* remove the leftover by hand */
    NEXT_BY_HAND,     /* complete the script by hand */
    NEXT_LOOK,        /* a person finds out what a statement has committed */
    NEXT_ESCAPED,
    FAILURE_NEXTS
};

struct failure_verdict {
    enum error_class class;
    enum failure_holds holds;
    enum failure_next next;
};

/* Deciding again with the resulting class gives the same result. */
struct failure_verdict failure_decide(const struct failure_facts *facts);

/* What the sentences name. */
struct failure_names {
    const char *migration;
    const char *script;         /* its path */
    const char *tool;           /* whose ledger it is: "Prisma" */
    bool is_edit_unseen;        /* that ledger has no checksums */
    bool was_tried;             /* before: it was marked as rolled back, by whoever, or part of it is there */
    size_t before;              /* migrations that this run has applied before it */
    size_t behind;              /* … that were sent in the same message, after it */
    size_t done;                /* statements that are committed … */
    size_t lasting;             /* … of which so many outlast the session … */
    size_t statements;          /* … out of this many */
    bool is_walked;             /* a backfill has changed its last row */
    char advice[900];           /* what helps, if the SQLSTATE tells; without "deploy again" */
    const char *more_time;      /* what allows more of it for a lock */
    size_t blockers;            /* how many hold the lock … */
    char blocking_sessions[80]; /* … and which sessions: "pid 7", "pids 7 and 8"; empty = prepared
                                   transactions alone */
    char blocker_remedy[1000];  /* what ends them, behind "to end them" */
    char persists[800];         /* those statements, or the rows of a backfill */
    char stuck[400];            /* why it cannot be resumed, as a clause */
    char remains[512];          /* what was left over: "the INVALID index x" */
    char remedy[1024];          /* what a person types to remove that */
};

/* What is known about a migration while it is applied, in case it fails. */
struct failure {
    struct failure_facts facts;
    struct failure_names names;
};

#endif

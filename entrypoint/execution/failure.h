/*
 * What a failure means: its class, what the database holds now, what comes next. The one place that decides.
 *
 * "Nothing" is said only where it is proven: the transaction was rolled back or never committed, and what a
 * statement outside of one could leave was looked for. Pure.
 */
#ifndef EXECUTION_FAILURE_H
#define EXECUTION_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "execution/mode.h"

/* What a statement that can't run in a transaction left behind. */
enum failure_leftover {
    LEFTOVER_NOTHING,
    LEFTOVER_OURS,   /* the next run clears it away */
    LEFTOVER_PERSON, /* not provably ours: a person has to look */
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
    bool is_rolled_back; /* for sure: the connection lived */
    bool is_connected;   /* it lives, or did so until everything was rolled back */
    enum failure_leftover leftover;
    bool has_hint;    /* who failed knew what to do, and said so */
    bool has_blocker; /* it is known who was in the way */
};

/* What the database holds. */
enum failure_holds {
    HOLDS_NOTHING,  /* of this migration, proven */
    HOLDS_COMMIT,   /* all or nothing: the COMMIT is in doubt */
    HOLDS_UNKNOWN,  /* what was committed before, and maybe what was under way */
    HOLDS_PERSISTS, /* what was committed, and what was left over */
    HOLDS_LEFTOVER, /* only what was left over */
    HOLDS_ESCAPED,  /* whatever the script committed behind our back */
    HOLDS_EARLIER,  /* what an earlier run did */
    FAILURE_HOLDS
};

/* What to do. */
enum failure_next {
    NEXT_SAID,           /* what was said by who failed */
    NEXT_CORRECT,        /* correct the script, deploy again */
    NEXT_NO_TRANSACTION, /* the same, with transaction=off */
    NEXT_GO_ON_CORRECTED,
    NEXT_BEGIN_AGAIN, /* deploy again: it begins with the migration */
    NEXT_GO_ON,       /* deploy again: it goes on where it stopped */
    NEXT_FIND_OUT,    /* deploy again: it finds out first */
    NEXT_BLOCKER,     /* wait for a session that is known */
    NEXT_TABLE,       /* wait for the table */
    NEXT_REMEDY,      /* type what clears the leftover away */
    NEXT_ESCAPED,
    FAILURE_NEXTS
};

struct failure_verdict {
    enum error_class class;
    enum failure_holds holds;
    enum failure_next next;
};

/* Deciding once more about the class that came out changes nothing. */
struct failure_verdict failure_decide(const struct failure_facts *facts);

/* What the sentences name. */
struct failure_names {
    const char *migration;
    const char *script; /* its path */
    size_t before;      /* migrations that this run has applied before it */
    size_t done;        /* statements that are committed … */
    size_t statements;  /* … of so many */
    int blocker_pid;
    char persists[800]; /* those statements, or the rows of a backfill */
    char remains[512];  /* what was left over: "the INVALID index x remains" */
    char remedy[1024];  /* what a person types about that */
};

/* What is known while a migration is applied, should it fail. */
struct failure {
    struct failure_facts facts;
    struct failure_names names;
};

/* Writes class, holds and hint into `err` as decided; `holds` stays what it is where it has been said. What
 * the server advised moves to the detail: what comes next is ours to say. */
void failure_describe(const struct failure *failure, struct error *err);

#endif

/*
 * Small migrations in one message, each in a transaction of its own with its ledger row, just as
 * apply/atomic.h has it: the server does not wait for us before the COMMIT, nor between several of them.
 *
 * Only what defines and needs no look in between: see burst_takes(). The first failure ends the message, and
 * everything else is the business of who applies one at a time.
 */
#ifndef APPLY_BURST_H
#define APPLY_BURST_H

#include "execution/execution.h"

enum { BURST_MOST = 128 };

struct burst_item {
    struct execution execution;
    struct text bytes; /* of its script */
    size_t facts;      /* numbers of statements in the message: the one that returns the facts … */
    size_t script;     /* … the first of the script … */
    size_t end;        /* … the one behind it … */
    size_t commit;     /* … and its COMMIT */
    size_t before;     /* characters of the message that come before the script */
    bool has_begun;    /* in its transaction, the key was ours */
    char started[40];
};

struct burst {
    struct burst_item *items;
    size_t count;
    size_t bytes;     /* of their scripts */
    size_t done;      /* so many were committed, as far as was heard */
    bool is_in_doubt; /* the connection is lost, and more of them may have been committed than was heard */
    bool is_refused;  /* the ledger is not as it was written, and that was said */
    struct text held; /* pooled: by the session, before the script at hand; see pooler_add_look() */
    struct early_failure early;

    /* What the server works on now; and what it has committed, as soon as that is heard. */
    void (*on_next)(void *context, struct execution *execution);
    void (*on_applied)(void *context, struct execution *execution);
    void *context;
};

/* Whether the script, which was just read, may be in one. */
bool burst_takes(const struct execution *execution);

struct burst *burst_new(void);
void burst_free(struct burst *burst);

/* Reads its script and adds it. False: it is not for this one. */
bool burst_add(struct burst *burst, const struct execution *execution);

/* Applies them. On failure, the first that is not `done` was rolled back, and later ones were not begun; or
 * its own failure is to be handled, with its transaction open (*early, see struct early_failure), or NULL; or
 * the connection is lost (ERROR_LOST, or ERROR_INTERRUPTED if it was given up): then the ledger of the next
 * leader tells which of them were committed. */
must_use bool burst_apply(struct burst *burst, const struct early_failure **early, struct error *err);

#endif

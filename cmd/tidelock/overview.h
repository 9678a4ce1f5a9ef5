/*
 * What `status` knows about the database and each migration, whatever form it is shown in.
 */
#ifndef OVERVIEW_H
#define OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "deploy/drift.h"
#include "deploy/target.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "history/origin.h"
#include "lock/leader.h"

/* How far a migration is that was begun and is not finished. */
struct advancement {
    bool is_known;
    bool is_atomic;    /* `done` is not: nobody else sees anything before all of it is done */
    size_t done;       /* statements … */
    size_t statements; /* … of so many; 0 = not known, the script is not there or has been changed */
    int64_t rows;      /* that a backfill has changed; -1 = it is none */
};

/* One migration: of the folder, or only in the ledger. */
struct account {
    const char *name;
    enum verdict verdict;
    bool is_in_folder;
    const struct history_item *item; /* NULL = not in the folder */
    const struct ledger_row *row;    /* the row that decided, or NULL */
    const char *started_at;          /* NULL = not known */
    const struct origin *origin;     /* who worked on it last, without the version where only the leader's
                                        session tells; NULL = not known */
    const char *floor;               /* that is recorded with it, or NULL */
    const char *reason;              /* what is recorded of its latest failure, or NULL */
    const char *persists;            /* what the database holds of one that is unfinished; NULL = not known */
    struct advancement advancement;
};

struct overview {
    const struct target *target;
    const char *server; /* "host:port", the one that was reached */
    struct ledger ledger;
    struct history history;
    struct leader leader;      /* pid 0 = none */
    const char *since;         /* … since when it is at work; "" = not known */
    const char *at_work;       /* what the leader's statement is doing, as the server shows it, or NULL */
    const char *release;       /* this image's, or NULL */
    const struct floor *floor; /* the highest of what is applied, or NULL */
    struct drift drift;        /* what was changed since the last deployment … */
    const char *no_drift;      /* … NULL = that is known; else why it is not, or "" where nobody asked */
    struct error refusal;      /* what a deployment would stop with before its first migration; of class
                                  ERROR_NONE if it would not, or if somebody leads */
    struct account
        *accounts; /* the folder's in its order, then those that only the ledger has, oldest first */
    size_t count;
    size_t counts[VERDICTS]; /* of the accounts */
};

/* Reads all of it and changes nothing; everything lives in the arena. */
must_use bool overview_read(struct arena *arena, const struct config *config, struct target *target,
                            struct overview *out, struct error *err);

/* Does the database hold everything that this folder needs? */
bool overview_is_up_to_date(const struct overview *overview);

/* Is this image's release older than what can run on the schema? False where that is not known. */
bool overview_is_too_old(const struct overview *overview);

/* Whether it was recorded as applied by hand (resolve, baseline) and not run. */
bool account_is_recorded(const struct account *account);

#endif

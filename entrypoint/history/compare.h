/*
 * The folder against the ledger: what each migration is. Pure, but for those that are applied again whenever
 * they change, and for history_check_edited(), which read scripts (edited.c).
 */
#ifndef HISTORY_COMPARE_H
#define HISTORY_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "dialect/ledger_row.h"
#include "history/migration.h"

/* The state of one migration; also the `state` label of the metrics. */
enum verdict {
    VERDICT_PENDING,
    VERDICT_RUNNING, /* only where somebody has looked: history_mark_running() */
    VERDICT_INTERRUPTED,
    VERDICT_FAILED,
    VERDICT_APPLIED,
    VERDICT_EDITED,
    VERDICT_MISSING,
    VERDICTS
};

extern const char *const VERDICT_NAMES[];

/* Whether the database does not hold all of such a migration. */
bool verdict_is_due(enum verdict verdict);

struct history_item {
    enum verdict verdict;
    const struct ledger_row *row;      /* the row that decided; NULL when pending */
    const struct ledger_row *last_try; /* the latest of those that failed and were rolled back, or NULL */
    bool was_rolled_back;              /* it also has a row that was rolled back */
    bool was_left;                     /* … by hand, after part of it was done */
    bool was_finished;    /* it has a row that is finished: it can't be recorded as applied again */
    bool is_unread;       /* applied, but its script can't be read: nobody knows whether it was edited */
    bool is_out_of_order; /* pending, but it sorts before one that is applied, in the folder or not */
    bool is_due;          /* the database does not hold all of it, and it is not beyond what is asked for; or
                             history_aim_back() has said so */
};

struct history {
    struct history_item *items;          /* one for each of the folder, in its order */
    const struct read_ahead *read_ahead; /* what is known of their scripts; or NULL */
    size_t counts[VERDICTS];
    size_t due_count;        /* of the items that are due */
    const char *last_common; /* the folder's name before the first pending one, as Prisma's status counts;
                                NULL when that is the first of all, or the folder is empty */
    const struct ledger_row *
        *missing; /* applied rows whose names are not in the folder, oldest first, each name once */
    size_t missing_count;
    bool is_ahead; /* all of these sort behind the folder's last, which is older than one of them: a newer
                      image was here. Otherwise some were removed, squashed or renamed */
    const struct ledger_row **failed; /* every unfinished row, oldest first, of whatever name */
    size_t failed_count;
    const struct ledger_row **strays; /* unfinished rows whose names are not in the folder, oldest first, each
                                         name once: no concern of an image for which nothing is pending */
    size_t stray_count;
};

/* Compares; `rows` are oldest first and must outlive the result, which lives in the arena. A failed row
 * counts even if there is an applied one of the same name: it may have changed something. */
void history_compare(struct arena *arena, const struct folder *folder, const struct ledger_row *rows,
                     size_t count, struct history *out);

/* Whether a migration that is applied again whenever it changes has changed since. Reads its script: one that
 * can't be read has not. */
bool history_is_outdated(const struct folder *folder, size_t index, const struct ledger_row *row);

/* What is due is to be undone instead: those from number `first` on that are applied. */
void history_aim_back(struct history *history, const struct folder *folder, size_t first);

/* Marks item `index`, which must be due, as VERDICT_RUNNING. */
void history_mark_running(struct history *history, size_t index);

/* Marks item `index`, which must be applied, as VERDICT_EDITED. */
void history_mark_edited(struct history *history, size_t index);

/* Reads the script of item `index` if it is applied, and marks it as VERDICT_EDITED if its checksum differs
 * from the ledger's (whose rows must have been read with checksums). ERROR_REFUSED when the script can't be
 * read, which is marked as well. */
must_use bool history_check_edited(struct history *history, const struct folder *folder, size_t index,
                                   struct error *err);

#endif

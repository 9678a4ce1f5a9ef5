/*
 * What a broken statement may leave behind, and what may be done about it: the words that this room shares.
 */
#ifndef REPAIR_LEFTOVER_H
#define REPAIR_LEFTOVER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "history/journal.h"
#include "postgres/connection.h"
#include "sql/script.h"

/* A statement that broke, or may have done so in an earlier run. */
struct broken {
    struct connection *conn;
    const char *path; /* of the script */
    struct slice script;
    const struct statement *statement;
};

struct slice broken_text(const struct broken *broken);

/* Points the error at the statement. Returns false. */
bool broken_point(const struct broken *broken, struct error *err);

enum repair_answer {
    REPAIR_RUN,     /* nothing stands in the way: run the statement */
    REPAIR_DONE,    /* the interrupted statement had done its work, or that was completed */
    REPAIR_REFUSED, /* something that isn't provably ours: `err` names it and the statement for a person */
    REPAIR_ERROR,
};

/* What remains after a failure. */
struct leftover {
    bool is_ours;      /* the next run clears it away */
    char what[512];    /* "the INVALID index x remains" */
    char remedy[1024]; /* what a person would type, without a semicolon */
};

/* For when it can't be looked at what remains: what the error says, and that the next run will see to it if
 * the intent is known. Returns false. */
bool leftover_unknown(struct leftover *left, const struct intent *intent, const struct error *err);

#endif

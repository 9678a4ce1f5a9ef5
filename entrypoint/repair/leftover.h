/*
 * What an interrupted statement may leave behind, and what can be done about it: the types that this room
 * shares.
 */
#ifndef REPAIR_LEFTOVER_H
#define REPAIR_LEFTOVER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "postgres/connection.h"
#include "sql/script.h"

/* A statement that broke, or may have done so in an earlier run. */
struct broken {
    struct connection *conn;
    const char *path; /* of the script */
    struct slice script;
    const struct statement *statement;
    bool may_only_look; /* nothing may be removed */
};

struct slice broken_text(const struct broken *broken);

/* Points the error at the statement. Returns false. */
bool broken_point(const struct broken *broken, struct error *err);

enum repair_answer {
    REPAIR_RUN,     /* nothing is in the way: run the statement */
    REPAIR_DONE,    /* the interrupted statement had done its work, or was completed */
    REPAIR_REFUSED, /* something not provably ours: `err` names it, and what a person can type */
    REPAIR_ERROR,
};

/* What is left over after a failure. */
struct leftover {
    bool is_ours;      /* the next run cleans it up */
    char what[512];    /* "the INVALID index x" */
    char remedy[1024]; /* what a person would type, without a semicolon */
};

/* For leftovers that cannot be checked: records the error, and whether the next run takes care of them, which
 * it does if there is an intent. Returns false. */
bool leftover_unknown(struct leftover *left, bool is_ours, const struct error *err);

#endif

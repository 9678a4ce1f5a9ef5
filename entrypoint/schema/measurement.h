/*
 * What a statement did when it was rehearsed, and what that makes of its verdict. Pure.
 *
 * A rule claims the most that a statement may do. More than that is a defect of the rule, and the worse of
 * both counts; less is a fact about this schema only where the rule says that it varies. A rehearsal has no
 * rows: it shows locks, and whether a table would be read or written anew, but neither how long that takes
 * nor what code does for each row.
 */
#ifndef SCHEMA_MEASUREMENT_H
#define SCHEMA_MEASUREMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/text.h"
#include "schema/effect.h"
#include "schema/forecast.h"

/* A table, view or sequence that the pending migrations found there. */
struct measured_relation {
    struct relation name;
    enum table_lock lock; /* the strongest that the statement took */
    enum work work;
};

/* Everything lives in the arena of whoever measured. */
struct measurement {
    struct measured_relation *relations; /* that it locked or worked on */
    size_t count;
    enum table_lock lock; /* the strongest that it took */
    enum table_lock held; /* … or that its transaction held already */
    enum work work;       /* the most */
    const char **said;    /* what the server said of its work, in its words */
    size_t said_count;
};

/* What the measurement alone amounts to. */
enum level measurement_level(const struct measurement *measurement);

/* Enters it into a prediction, which keeps it, and judges its findings anew. */
void measurement_judge(struct arena *arena, struct prediction *prediction,
                       const struct measurement *measurement);

/* Adds what was measured: "AccessExclusiveLock on "public"."t", rewrite"; "no table that others use" where
 * nothing was. */
void measurement_add(const struct measurement *measurement, struct text *out);

/* Adds a finding of the rehearsal itself; `seen` is what it has to say. */
void prediction_add(struct arena *arena, struct prediction *prediction, const struct rule *rule,
                    const char *seen);

#endif

/*
 * Which question about the rows that are there now tells whether a statement would fail on them.
 */
#ifndef DEPLOY_LIVE_QUESTION_H
#define DEPLOY_LIVE_QUESTION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "deploy/live.h"
#include "schema/effect.h"

struct row_question {
    const char *breaks; /* what a row means that is found: "…, so it would fail" */
    const char *holds;  /* what it means that there is none */
    enum level level;   /* of the finding, where none is found; LEVELS = as it was */
};

/* Adds to `sql` a query that returns true when there is such a row, and fills `out`. Without one where no
 * question is known: `sql` stays empty. May ask the catalog. */
must_use bool live_question_of(struct live *live, const struct finding *finding, struct text *sql,
                               struct row_question *out, struct error *err);

#endif

#include "apply/advance.h"

#include <stdio.h>

#include "lock/leader.h"
#include "postgres/query.h"

enum { NUMBER_SIZE = 24 };

enum { CLOSING_STEPS = SESSION_ASIDES + 4 };

bool advance_commit(struct applying *applying, size_t done, const char *commit, struct error *err)
{
    char number[NUMBER_SIZE];
    const char *const parameters[] = { applying->id, number };
    const struct query closing = { .name = "commit", .sql = commit };
    struct step steps[CLOSING_STEPS];
    size_t count = 0;
    size_t keep;
    size_t failed;

    (void)snprintf(number, sizeof number, "%zu", done);
    steps[count++] = (struct step) { .query = &SESSION_CONSTRAINTS };
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        steps[count++] = (struct step) { .query = &SESSION_ASIDE[i] };
    keep = count;
    steps[count++] = (struct step) { .query = &LEADER_KEEP };
    steps[count++] =
        (struct step) { .query = &applying->ledger->queries[LEDGER_PROGRESS], .parameters = parameters };
    steps[count++] = (struct step) { .query = &closing };
    if (query_batch(applying->conn, steps, count, NULL, &failed, err))
        return true;
    return failed == keep && err->class != ERROR_LOST ? applying_lost_leader(err) : false;
}

bool advance(struct applying *applying, size_t done, struct error *err)
{
    return query_several(applying->conn, "begin", "BEGIN", NULL, 0, err) &&
           advance_commit(applying, done, "COMMIT", err);
}

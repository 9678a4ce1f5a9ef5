#include "apply/advance.h"

#include <stdio.h>

#include "lock/leader.h"
#include "postgres/query.h"

enum { NUMBER_SIZE = 24 };

enum { CLOSING_ITEMS = SESSION_ASIDES + 4 };

bool advance_commit(struct applying *applying, size_t done, const char *commit, struct error *err)
{
    char number[NUMBER_SIZE];
    const char *const parameters[] = { applying->id, number };
    const struct query closing = { .name = "commit", .sql = commit };
    struct batch_item items[CLOSING_ITEMS];
    size_t count = 0;
    size_t keep;
    size_t failed;

    (void)snprintf(number, sizeof number, "%zu", done);
    items[count++] = (struct batch_item) { .query = &SESSION_CONSTRAINTS };
    for (size_t i = 0; i < SESSION_ASIDES; i++)
        items[count++] = (struct batch_item) { .query = &SESSION_ASIDE[i] };
    keep = count;
    items[count++] = (struct batch_item) { .query = &LEADER_KEEP };
    items[count++] = (struct batch_item) { .query = &applying->ledger->queries[LEDGER_PROGRESS],
                                           .parameters = parameters };
    items[count++] = (struct batch_item) { .query = &closing };
    if (query_batch(applying->conn, items, count, NULL, &failed, err))
        return true;
    return failed == keep && err->class != ERROR_LOST ? applying_lost_leader(err) : false;
}

bool advance(struct applying *applying, size_t done, struct error *err)
{
    return query_several(applying->conn, "begin", "BEGIN", NULL, 0, err) &&
           advance_commit(applying, done, "COMMIT", err);
}

/*
 * Who applied a migration: the pod, or the host, and the version of tidelock. In the journal, since the
 * ledger has no place for it.
 *
 * It is written beside the ledger and decides nothing: where it cannot be written, nobody is told.
 */
#ifndef HISTORY_ORIGIN_H
#define HISTORY_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "history/journal.h"
#include "postgres/connection.h"
#include "postgres/query.h"

struct origin {
    const char *ledger_id;
    const char *host;
    const char *version;
};

/* Those that were read. */
struct origins {
    bool has_journal; /* there is one that this role may read */
    struct origin *items;
    size_t count;
};

/* Records that it was host $2 with version $3 that worked last on the migration with ledger row $1. Takes no
 * lock: it is for a session that leads. */
extern const struct query ORIGIN_RECORD;

/* The same, in a transaction of its own. Best effort. */
void origin_record(const struct journal *journal, const struct origin *origin);

/* Reads all of them, and where the journal is: whatever keeps us from it counts as none. Changes nothing. */
struct origins origin_read(struct arena *arena, struct connection *conn, const char *ledger_schema);

/* That of a ledger row, or NULL. */
const struct origin *origin_find(const struct origins *origins, const char *ledger_id);

#endif

/*
 * Who applied a migration: the pod, or the host, the version of tidelock and the application's release; and
 * what it said. In the journal, since the ledger has no place for it.
 *
 * It is written beside the ledger and decides nothing: where it cannot be written, nobody is told.
 */
#ifndef HISTORY_ORIGIN_H
#define HISTORY_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "history/journal.h"
#include "history/ledger.h"
#include "postgres/connection.h"

struct origin {
    const char *ledger_id;
    const char *host;
    const char *version;
    const char *release; /* of the application in its image; NULL = not known */
    const char *gist;    /* of the script (sql/gist.h); NULL = an older version has recorded none */
};

/* Those that were read. */
struct origins {
    bool has_journal; /* there is one that this role may read */
    struct origin *items;
    size_t count;
};

/* Records who worked last on a migration, in a transaction of its own. Best effort, for the leader. */
void origin_record(const struct journal *journal, const struct origin *origin);

/* What is to be recorded of many short migrations: written together, since each would take longer to record
 * than to apply. What is lost with the process is not known later. All zero when it begins. */
struct origin_queue {
    struct text ids;   /* of the ledger rows, as an array … */
    struct text gists; /* … and of their scripts */
    struct deadline due;
};

void origin_queue_add(struct origin_queue *queue, const char *ledger_id, const char *gist);

/* Whether it is full, or has been kept for a second. */
bool origin_queue_is_due(const struct origin_queue *queue);

/* Records who applied those in the queue, as above, and empties it. `who` is NULL: they are rolled back, and
 * it is forgotten. */
void origin_queue_write(struct origin_queue *queue, const struct journal *journal, const struct origin *who);

/* Empties it. */
void origin_queue_clear(struct origin_queue *queue);

/* Reads those of the ledger's rows, and where the journal is, which other ledgers may share: whatever keeps
 * us from it counts as none. Changes nothing. */
struct origins origin_read(struct arena *arena, struct connection *conn, const struct ledger *ledger);

/* That of a ledger row, or NULL. */
const struct origin *origin_find(const struct origins *origins, const char *ledger_id);

#endif

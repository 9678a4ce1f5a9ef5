/*
 * A named restore point before a deployment changes something: a restored backup can stop there.
 */
#ifndef DEPLOY_RESTORE_POINT_H
#define DEPLOY_RESTORE_POINT_H

#include <stddef.h>

#include "base/error.h"
#include "history/journal.h"
#include "postgres/connection.h"

enum { RESTORE_POINT_SIZE = 64, LSN_SIZE = 24 };

struct restore_point {
    char name[RESTORE_POINT_SIZE]; /* no two have the same: a recovery stops at the first one of that name */
    char lsn[LSN_SIZE];            /* where it ends in the WAL */
    char timeline[9];              /* … of that timeline, as names of WAL files have it */
};

/* What it is recorded with. */
struct restore_point_note {
    const char *first; /* the migration before which it was made … */
    size_t pending;    /* … and how many there were */
    const char *host;
    const char *version;
};

/* Whether this role may make one on this server; changes nothing, and takes a standby's word for its primary.
 * ERROR_DENIED with what a superuser has to type, ERROR_REFUSED where the WAL would not hold it. */
must_use bool restore_point_check(struct connection *conn, struct error *err);

/* Makes one. */
must_use bool restore_point_make(struct connection *conn, struct restore_point *out, struct error *err);

/* Records it in the journal, which is there. Best effort: its name is in the log. */
void restore_point_record(const struct journal *journal, const struct restore_point *point,
                          const struct restore_point_note *note);

#endif

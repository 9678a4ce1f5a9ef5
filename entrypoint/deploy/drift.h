/*
 * Drift: what was changed in the schema since a deployment left it, and by no migration.
 */
#ifndef DEPLOY_DRIFT_H
#define DEPLOY_DRIFT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "history/ledger.h"
#include "postgres/connection.h"
#include "schema/diff.h"
#include "schema/recorded.h"

/* Where they are only mentioned, so many differences are listed. */
enum { DRIFT_SHOWN_MOST = 10 };

struct drift {
    const char *unknown; /* why nothing could be compared, as what follows "since "; NULL = it was */
    struct recorded recorded;
    struct facts live;
    struct diff diff; /* from the recorded to the live ones, without what --ignore takes out */
};

/* What is compared: the ledger has just been read on that connection. Of a tenant whose schema the list names
 * it is that schema alone, and nothing of what belongs to the database. With is_brief, schemas of more than
 * some ten thousand tables, indexes and the like are unknown. */
struct drift_request {
    const struct config *config;
    struct connection *conn;
    const struct ledger *ledger;
    bool is_brief; /* nobody has asked: a large schema is not looked at, which would take seconds */
};

/* Compares; changes nothing. It lives in the arena. ERROR_TABLE_LOCK as catalog_read(). */
must_use bool drift_find(struct arena *arena, const struct drift_request *wanted, struct drift *out,
                         struct error *err);

/* Reads the schema of the ledger's own, without what --ignore takes out. */
must_use bool drift_read_live(struct arena *arena, const struct drift_request *wanted, struct facts *out,
                              struct error *err);

/* Records the schema as it is now, for the leader. Best effort: what cannot be recorded is not compared
 * later. */
void drift_record(const struct drift_request *wanted);

/* The same for a command that has edited the ledger: the schema counts as it is from then on, unless --drift
 * off says otherwise. */
void drift_record_edit(const struct drift_request *wanted);

/* Adds one difference as a line: "+ index public.hotfix". */
void drift_add_line(const struct difference *difference, struct text *out);

#endif

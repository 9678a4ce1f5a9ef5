/*
 * Who else is concerned: who would be waited for now, how much is done with a table, the replicas.
 *
 * Catalogs and statistics only.
 */
#ifndef DEPLOY_LIVE_OTHERS_H
#define DEPLOY_LIVE_OTHERS_H

#include "base/error.h"
#include "deploy/live.h"

/* Notes in a finding who holds a lock that it would wait for; for CONCURRENTLY, whose transaction. */
must_use bool live_look_at_sessions(struct live *live, struct finding *finding, struct error *err);

/* Reads how much has been done with each table that is not small; again with `is_second`, which gives the use
 * in a second. */
must_use bool live_look_at_use(struct live *live, bool is_second, struct error *err);

/* Servers that replay what this one writes. */
struct live_replicas {
    int64_t count;
    int64_t behind_bytes; /* the slowest; -1 = this role cannot see it, or there is none */
};

must_use bool live_look_at_replicas(struct live *live, struct live_replicas *out, struct error *err);

/* Whether any of the tables that were asked for is not small. Pure. */
bool live_has_large(const struct live *live);

/* How long has to lie between the two: servers report at most once a second. */
enum { LIVE_USE_APART_MS = 3000 };

#endif

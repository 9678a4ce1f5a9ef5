/*
 * Replaying history: migrations are applied to a shadow, one after the other, as a deployment applies them.
 *
 * Each in its own mode, committed when it is done, with a ledger in the shadow itself. Nobody is told of it:
 * no metrics, no status file, no webhook. A shadow has no rows, so nothing is asserted of them.
 */
#ifndef SHADOW_REPLAY_H
#define SHADOW_REPLAY_H

#include "base/error.h"
#include "history/ledger.h"
#include "history/migration.h"
#include "lock/beacon.h"
#include "lock/lease.h"
#include "postgres/session.h"
#include "report/progress.h"
#include "shadow/observe.h"
#include "shadow/shadow.h"
#include "traffic/watch.h"

struct replay {
    struct shadow *shadow;
    const struct folder *folder;
    struct ledger ledger; /* the shadow's */
    struct session_settings settings;
    struct progress progress;
    struct watch watch;
    struct lease lease; /* none */
    struct beacon beacon;
    size_t count; /* of the migrations that it holds */
};

/* Creates a ledger in the shadow. `schema` is the live URL's ?schema=, or NULL. The replay must stay where it
 * is until replay_end(). */
must_use bool replay_begin(struct replay *replay, struct shadow *shadow, const struct folder *folder,
                           const char *schema, struct error *err);
void replay_end(struct replay *replay);

/* Applies number `index` of the folder. The error is that of a deployment; with observe->has_reached it is
 * not the server's, but a statement reaches beyond its database, and what it did is rolled back. *failed gets
 * the number of the statement that it failed at. */
must_use bool replay_migration(struct replay *replay, size_t index, struct observe *observe, size_t *failed,
                               struct error *err);

/* Applies those for which is_wanted[index]. ERROR_REFUSED, with the dialect's code and the place, for one
 * that does not replay. */
must_use bool replay_history(struct replay *replay, const bool *is_wanted, struct error *err);

/* What a deployment would say of the live database, and do next, is not true of a shadow: puts in its place
 * what is. For an error that is not the script's. */
bool replay_break_off(struct error *err);

/* The same for number `index` alone. */
must_use bool replay_one(struct replay *replay, size_t index, struct error *err);

/* Undoes number `index`, which was applied, by its inverse. ERROR_REFUSED, with the place, for one that
 * fails. */
must_use bool replay_inverse(struct replay *replay, size_t index, const struct migration *inverse,
                             struct error *err);

/* Whether it is the script that has failed, and not the session. */
bool replay_is_of_script(const struct error *err);

/* The server's message, in that error, without what a deployment says before it. */
const char *replay_reason(const struct migration *migration, const struct error *err);

#endif

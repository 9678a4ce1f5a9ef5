/*
 * The advisory lock under which a database is changed, as every transaction that changes something takes it.
 *
 * A script can release a session's lock (pg_advisory_unlock_all()), but never a transaction's.
 */
#ifndef POSTGRES_ADVISORY_H
#define POSTGRES_ADVISORY_H

#include "base/error.h"
#include "base/text.h"
#include "postgres/query.h"

/* First in a transaction: takes the key ($1) until its end. Fails (division by zero) if another session has
 * it. */
extern const struct query ADVISORY_TAKE;

/* The same, and also for the session (it counts): in one of ours, which holds it from one transaction to the
 * next. */
extern const struct query ADVISORY_HOLD;

/* The same, and also sets again what RESET ALL has taken from the session: the safety net, and the limits of
 * our own writes (its other parameters, see SESSION_LIMITS_LIST). One statement, since each costs more than
 * what it does. */
extern const struct query ADVISORY_REGAIN;

/* Whether a statement is one of these three. */
bool advisory_is_taken_by(const struct query *query);

/* Adds an expression that does so and is true or false; for the session, too, if it is ours. */
void advisory_add_try(const char *key, bool is_session, struct text *sql);

/* ERROR_LEADER: somebody else may be writing now. Returns false. */
bool advisory_lost(struct error *err);

/* The statement that takes the key has failed: the same if it was not to be had, while any other failure (a
 * time-out, a cancel) stays as it is. Returns false. */
bool advisory_failed(struct error *err);

#endif

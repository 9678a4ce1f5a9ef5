/*
 * The ledger of a database that has none yet: begun under the leader lock, where nothing speaks against it.
 */
#ifndef DEPLOY_NEW_LEDGER_H
#define DEPLOY_NEW_LEDGER_H

#include "deploy/internal.h"

/* The usual case in one round trip: in a schema that is there and holds nothing, by ledger_begin(). Where the
 * last look has found a ledger, or a look decides more than that, it does nothing. */
must_use bool new_ledger_begin(struct deployment *d, struct error *err);

/* Whether it may be begun: in a database in which no tool has one, unless that is wanted, and in a schema
 * that is there, since whatever a list of tenants spells wrong would otherwise be created. */
must_use bool new_ledger_check(const struct deployment *d, struct error *err);

/* Creates it after that check. Behind a pooler in transaction mode another process may lead: then, or where
 * this fails, the phase says so. */
enum phase new_ledger_create(struct deployment *d, struct error *err);

#endif

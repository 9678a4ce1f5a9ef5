/*
 * What an UPDATE of an inverse overwrites: nothing in a column that the inverse has added. Of this room.
 */
#ifndef DEPLOY_LOSS_UPDATE_H
#define DEPLOY_LOSS_UPDATE_H

#include "base/error.h"
#include "deploy/loss.h"
#include "postgres/connection.h"
#include "sql/grammar.h"

/* Fills the guard's `assigned` for this one, in its transaction, before it runs. */
must_use bool loss_read_update(struct loss_guard *guard, struct connection *conn, const struct change *change,
                               struct error *err);

#endif

/*
 * What the rows that are there now say of a statement: whether it would fail on them, and how long its work
 * takes.
 *
 * Unlike live_look() this reads tables: each question for at most a second, in a transaction that only reads,
 * and it gives up rather than wait for a lock.
 */
#ifndef DEPLOY_LIVE_ROWS_H
#define DEPLOY_LIVE_ROWS_H

#include "base/error.h"
#include "deploy/live.h"

/* Completes the findings of a forecast that live_look() has been through. What the server refuses to answer,
 * or not in time, is noted as not known. False only when the session is of no more use. */
must_use bool live_look_at_rows(struct live *live, struct forecast *forecast, struct error *err);

#endif

/*
 * The rehearsal: pending migrations run in a shadow that holds the history, and what each of their statements
 * did there decides with its text.
 */
#ifndef SHADOW_REHEARSE_H
#define SHADOW_REHEARSE_H

#include "schema/forecast.h"
#include "shadow/replay.h"

/* A pending migration: its number in the folder, and what its text foretells. */
struct rehearsed {
    size_t index;
    struct forecast *forecast;
};

/* Runs them in their order, and judges their forecasts anew. A script that fails is a finding, and ends the
 * rehearsal: what comes after it stays as it was. False when it could not go on for another reason. */
must_use bool rehearse(struct replay *replay, const struct rehearsed *pending, size_t count,
                       struct error *err);

#endif

/*
 * The last word of a run for many: how many failed, the first of them by name, and each cause once.
 */
#ifndef FLEET_CONCLUSION_H
#define FLEET_CONCLUSION_H

#include "base/error.h"
#include "fleet/rollout.h"

enum { CONCLUSION_CAUSES = 5, CONCLUSION_NAMES = 5 };

/* Tenants that failed with the same words. */
struct conclusion_cause {
    const char *reason; /* its first sentence */
    const char *names[CONCLUSION_NAMES];
    size_t count;
};

/* What is known so far; zeroed = nothing. */
struct conclusion {
    struct conclusion_cause causes[CONCLUSION_CAUSES];
    size_t count;
    size_t others; /* that failed with other words */
};

/* It has failed, or was stopped by a signal: notes why in its result, which it keeps, and for the last word.
 * Advice that is a command for one database says from now on that it needs this tenant's URL. */
void conclusion_note(struct conclusion *conclusion, const struct tenant_run *run, struct error *err);

/* Whether all are done; false: `err` is the last word. `changes`: what is done was changed, and not only
 * looked at. */
must_use bool conclusion_draw(const struct conclusion *conclusion, const struct rollout *rollout,
                              bool changes, struct error *err);

#endif

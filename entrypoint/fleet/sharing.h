/*
 * Processes that work on the same list share it: each begins at another place, leaves for later what another
 * one has begun, and need not look at what another one has done.
 *
 * They meet in a session on each server that has many tenants (meeting.h). Each says what it begins and what
 * it has done; a tenant counts as done only for who had entered before that was said, would have done the
 * same to it (fingerprint.h), and as the same role. What nobody has said anything about is done as if one
 * were alone.
 */
#ifndef FLEET_SHARING_H
#define FLEET_SHARING_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "fleet/location.h"
#include "fleet/schedule.h"
#include "tenants/list.h"

struct sharing;

struct sharing_plan {
    const struct config *config;
    const struct tenant_list *tenants;
    const struct location *locations; /* of all, as locations_find() leaves them; only until it has begun */
    struct schedule *schedule;
    /* Another process has done that one, which counts as done in the schedule. Must not wait. */
    void (*done)(void *context, size_t index);
    void *context;
};

/* Nothing begins on a server before it is known where, which takes two seconds at most. NULL = there is
 * nothing to share; the others do nothing then. */
struct sharing *sharing_begin(const struct sharing_plan *plan);

/* One has begun here; it has ended, with something applied or not; what these have said, others may know now.
 */
void sharing_say_begun(struct sharing *sharing, size_t index);
void sharing_say_ended(struct sharing *sharing, size_t index, bool has_applied);
void sharing_flush(struct sharing *sharing);

/* Not from a task. */
void sharing_end(struct sharing *sharing);

#endif

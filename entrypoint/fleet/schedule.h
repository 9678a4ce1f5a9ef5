/*
 * Which tenant comes next, how many at a time, and when to stop. Pure: who begins and ends them says so.
 */
#ifndef FLEET_SCHEDULE_H
#define FLEET_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "tenants/state.h"

struct schedule_rules {
    size_t canaries; /* so many of the first are done one by one; after a failure of theirs nothing begins */
    size_t parallel; /* at a time */
    size_t failures_most; /* after one more nothing begins */
};

/* A server that tenants share. */
struct schedule_server {
    size_t most; /* at a time */
    size_t running;
    size_t first; /* the first of its tenants that is waiting; SCHEDULE_NOBODY */
    size_t last;
};

struct schedule_place {
    enum tenant_state state;
    size_t server;
    size_t next;      /* on the same server, waiting */
    int64_t again_ms; /* elsewhere: on that clock, not to be looked at before */
    unsigned looks;   /* … and how often it was */
};

struct schedule {
    struct schedule_rules rules;
    struct schedule_place *places; /* of each tenant, in the order in which they begin */
    size_t count;
    struct schedule_server *servers;
    size_t server_count;
    size_t counts[TENANT_STATES];
    bool is_stopped; /* nothing begins any more */
};

#define SCHEDULE_NOBODY SIZE_MAX

/* `servers` says of each tenant which of the `server_count` servers it is on; a server has one at a time
 * until schedule_widen(). Lives in the arena. */
struct schedule schedule_begin(struct arena *arena, struct schedule_rules rules, const size_t *servers,
                               size_t count, size_t server_count);

void schedule_widen(struct schedule *schedule, size_t server, size_t most);

/* The one to begin now, which counts as running from then on; SCHEDULE_NOBODY = none, for now. Of servers,
 * the one comes next that has the fewest running. What is elsewhere comes last. */
size_t schedule_next(struct schedule *schedule, int64_t now_ms);

/* One has ended: TENANT_DONE, TENANT_FAILED or TENANT_ELSEWHERE, from where it comes again after a pause that
 * grows. */
void schedule_end(struct schedule *schedule, size_t index, enum tenant_state state, int64_t now_ms);

/* Nothing begins any more. */
void schedule_stop(struct schedule *schedule);

/* Whether nothing runs and nothing will begin. */
bool schedule_is_over(const struct schedule *schedule);

/* When one that is elsewhere is to be looked at again; -1 = none is. */
int64_t schedule_again_ms(const struct schedule *schedule);

#endif

/*
 * Which tenant comes next, how many at a time, and when to stop. Pure: who begins and ends them says so.
 */
#ifndef FLEET_SCHEDULE_H
#define FLEET_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "tenants/state.h"

struct schedule_rules {
    size_t canaries; /* so many of the first are done one by one; after a failure of theirs nothing begins */
    size_t parallel; /* at a time */
    size_t parallel_in_lane; /* … of those that share a database */
    size_t failures_most;    /* after one more nothing begins */
};

/* Where they are. */
struct schedule_map {
    const size_t *lanes;   /* of each tenant: its database, which others may share */
    const size_t *servers; /* of each lane: its server */
    size_t count;
    size_t lane_count;
    size_t server_count;
};

struct schedule_lane {
    size_t server;
    size_t count; /* of its tenants */
    size_t running;
    size_t first; /* the first of its tenants that is waiting; SCHEDULE_NOBODY */
    size_t last;
    size_t next;     /* on the same server, behind it */
    bool is_queued;  /* on its server */
    int64_t rest_ms; /* another process leads in it: when to look again; 0 = none is known to */
};

/* Its lanes take turns. */
struct schedule_server {
    size_t most; /* at a time */
    size_t running;
    size_t first; /* the lane whose turn it is; SCHEDULE_NOBODY. It may have nobody waiting any more */
    size_t last;
};

struct schedule_place {
    enum tenant_state state;
    size_t lane;
    size_t next;      /* in the same lane, waiting; SCHEDULE_NOBODY */
    size_t before;    /* the same, in the other direction */
    int64_t since_ms; /* elsewhere: when it was first seen to be, … */
    int64_t again_ms; /* … on that clock, when it is to be looked at again … */
    unsigned looks;   /* … and how often it was */
};

struct schedule {
    struct schedule_rules rules;
    struct schedule_place *places; /* of each tenant, in the order in which they begin */
    size_t count;
    struct schedule_lane *lanes;
    size_t lane_count;
    size_t resting; /* so many of them */
    struct schedule_server *servers;
    size_t server_count;
    size_t counts[TENANT_STATES];
    bool is_stopped; /* nothing begins any more */
};

#define SCHEDULE_NOBODY SIZE_MAX

/* A server has one at a time until schedule_widen(). Lives in the arena, `map` only needs to live until it
 * returns. */
struct schedule schedule_begin(struct arena *arena, struct schedule_rules rules,
                               const struct schedule_map *map);

/* 0 = none, for now. */
void schedule_widen(struct schedule *schedule, size_t server, size_t most);

/* Where process number `number` begins: the lowest are as far from each other as can be, at 0, 1/2, 1/4, 3/4,
 * 1/8 … of 2^32. */
uint32_t schedule_part_of(unsigned number);

/* What waits there, canaries apart, begins at a fraction of the list: `part` of 2^32. Behind its end comes
 * its beginning. */
void schedule_begin_at(struct schedule *schedule, size_t server, uint32_t part);

/* The one to begin now, which counts as running from then on; SCHEDULE_NOBODY = none, for now. Of servers,
 * the one comes next that has the fewest running, and of its databases the one that has waited longest. What
 * is elsewhere comes last. */
size_t schedule_next(struct schedule *schedule, int64_t now_ms);

/* One has ended: it is over, or TENANT_ELSEWHERE, from where it comes again after a pause that
 * grows. */
void schedule_end(struct schedule *schedule, size_t index, enum tenant_state state, int64_t now_ms);

/* Another process has begun it: if it waits, it is elsewhere from now on, and not begun before then. */
void schedule_defer(struct schedule *schedule, size_t index, int64_t until_ms);

/* Another process leads in the database of this one: nobody else there is begun before then. */
void schedule_rest(struct schedule *schedule, size_t index, int64_t until_ms);

/* Another process has done it. False: it runs here, or has ended. */
must_use bool schedule_finish(struct schedule *schedule, size_t index);

/* For how long it has been elsewhere since it was begun here; 0 = it never was. */
int64_t schedule_elsewhere_ms(const struct schedule *schedule, size_t index, int64_t now_ms);

/* Nothing begins any more. */
void schedule_stop(struct schedule *schedule);

/* Whether nothing runs and nothing will begin. */
bool schedule_is_over(const struct schedule *schedule);

/* When one that is elsewhere, and for which there is room, is to be looked at again; -1 = none is. */
int64_t schedule_again_ms(const struct schedule *schedule);

#endif

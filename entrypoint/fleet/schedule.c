#include "fleet/schedule.h"

enum { AGAIN_FIRST_MS = 250, AGAIN_MOST_MS = 4000, LOOKS_DOUBLING = 4 };

static void queue_lane(struct schedule *schedule, size_t number)
{
    struct schedule_lane *lane = &schedule->lanes[number];
    struct schedule_server *server = &schedule->servers[lane->server];

    if (lane->is_queued || lane->first == SCHEDULE_NOBODY ||
        lane->running >= schedule->rules.parallel_in_lane)
        return;
    lane->is_queued = true;
    lane->next = SCHEDULE_NOBODY;
    if (server->first == SCHEDULE_NOBODY)
        server->first = number;
    else
        schedule->lanes[server->last].next = number;
    server->last = number;
}

static void append(struct schedule *schedule, size_t index)
{
    struct schedule_lane *lane = &schedule->lanes[schedule->places[index].lane];

    schedule->places[index].next = SCHEDULE_NOBODY;
    if (lane->first == SCHEDULE_NOBODY)
        lane->first = index;
    else
        schedule->places[lane->last].next = index;
    lane->last = index;
    queue_lane(schedule, schedule->places[index].lane);
}

struct schedule schedule_begin(struct arena *arena, struct schedule_rules rules,
                               const struct schedule_map *map)
{
    struct schedule schedule = {
        .rules = rules,
        .places = arena_alloc(arena, map->count, sizeof *schedule.places),
        .count = map->count,
        .lanes = arena_alloc(arena, map->lane_count, sizeof *schedule.lanes),
        .servers = arena_alloc(arena, map->server_count, sizeof *schedule.servers),
        .server_count = map->server_count,
        .counts = { [TENANT_WAITING] = map->count },
    };

    for (size_t i = 0; i < map->server_count; i++)
        schedule.servers[i] = (struct schedule_server) { .most = 1, .first = SCHEDULE_NOBODY };
    for (size_t i = 0; i < map->lane_count; i++)
        schedule.lanes[i] = (struct schedule_lane) { .server = map->servers[i], .first = SCHEDULE_NOBODY };
    for (size_t i = 0; i < map->count; i++) {
        schedule.places[i] = (struct schedule_place) { .lane = map->lanes[i] };
        append(&schedule, i);
    }
    return schedule;
}

void schedule_widen(struct schedule *schedule, size_t server, size_t most)
{
    schedule->servers[server].most = most;
}

static void enter(struct schedule *schedule, size_t index, enum tenant_state state)
{
    schedule->counts[schedule->places[index].state]--;
    schedule->places[index].state = state;
    schedule->counts[state]++;
}

static bool has_room(const struct schedule *schedule, const struct schedule_lane *lane)
{
    const struct schedule_server *server = &schedule->servers[lane->server];

    return server->running < server->most && lane->running < schedule->rules.parallel_in_lane;
}

/* The first canary that is not done. */
static size_t next_canary(const struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->rules.canaries && i < schedule->count; i++) {
        if (schedule->places[i].state != TENANT_DONE)
            return i;
    }
    return SCHEDULE_NOBODY;
}

/* Takes out of the queue what a canary, or what was elsewhere, has emptied or filled meanwhile. */
static size_t first_lane(struct schedule *schedule, struct schedule_server *server)
{
    while (server->first != SCHEDULE_NOBODY) {
        struct schedule_lane *lane = &schedule->lanes[server->first];

        if (lane->first != SCHEDULE_NOBODY && lane->running < schedule->rules.parallel_in_lane)
            break;
        lane->is_queued = false;
        server->first = lane->next;
    }
    return server->first;
}

static size_t next_waiting(struct schedule *schedule)
{
    struct schedule_server *best = NULL;

    for (size_t i = 0; i < schedule->server_count; i++) {
        struct schedule_server *server = &schedule->servers[i];

        if (server->running < server->most && first_lane(schedule, server) != SCHEDULE_NOBODY &&
            (best == NULL || server->running < best->running))
            best = server;
    }
    return best == NULL ? SCHEDULE_NOBODY : schedule->lanes[best->first].first;
}

static size_t next_elsewhere(const struct schedule *schedule, int64_t now_ms)
{
    for (size_t i = 0; i < schedule->count && schedule->counts[TENANT_ELSEWHERE] > 0; i++) {
        const struct schedule_place *place = &schedule->places[i];

        if (place->state == TENANT_ELSEWHERE && place->again_ms <= now_ms &&
            has_room(schedule, &schedule->lanes[place->lane]))
            return i;
    }
    return SCHEDULE_NOBODY;
}

/* The first of its lane, whose turn is over, too, if it had it. */
static void take_out(struct schedule *schedule, size_t index)
{
    struct schedule_lane *lane = &schedule->lanes[schedule->places[index].lane];
    struct schedule_server *server = &schedule->servers[lane->server];

    lane->first = schedule->places[index].next;
    if (server->first == schedule->places[index].lane) {
        server->first = lane->next;
        lane->is_queued = false;
    }
}

static void begin(struct schedule *schedule, size_t index)
{
    size_t number = schedule->places[index].lane;
    struct schedule_lane *lane = &schedule->lanes[number];

    if (schedule->places[index].state == TENANT_WAITING)
        take_out(schedule, index);
    enter(schedule, index, TENANT_RUNNING);
    lane->running++;
    schedule->servers[lane->server].running++;
    queue_lane(schedule, number);
}

size_t schedule_next(struct schedule *schedule, int64_t now_ms)
{
    size_t canary = next_canary(schedule);
    size_t index;

    if (schedule->is_stopped || schedule->counts[TENANT_RUNNING] >= schedule->rules.parallel)
        return SCHEDULE_NOBODY;
    if (canary != SCHEDULE_NOBODY) {
        const struct schedule_place *place = &schedule->places[canary];

        if (schedule->counts[TENANT_RUNNING] > 0 ||
            (place->state == TENANT_ELSEWHERE && place->again_ms > now_ms))
            return SCHEDULE_NOBODY;
        index = canary;
    } else {
        index = next_waiting(schedule);
        if (index == SCHEDULE_NOBODY)
            index = next_elsewhere(schedule, now_ms);
    }
    if (index == SCHEDULE_NOBODY)
        return SCHEDULE_NOBODY;
    begin(schedule, index);
    return index;
}

void schedule_end(struct schedule *schedule, size_t index, enum tenant_state state, int64_t now_ms)
{
    struct schedule_place *place = &schedule->places[index];
    struct schedule_lane *lane = &schedule->lanes[place->lane];

    enter(schedule, index, state);
    lane->running--;
    schedule->servers[lane->server].running--;
    queue_lane(schedule, place->lane);
    if (state == TENANT_ELSEWHERE) {
        int64_t pause = (int64_t)AGAIN_FIRST_MS
                        << (place->looks < LOOKS_DOUBLING ? place->looks : LOOKS_DOUBLING);

        if (place->looks++ == 0)
            place->since_ms = now_ms;
        place->again_ms = now_ms + (pause < AGAIN_MOST_MS ? pause : AGAIN_MOST_MS);
    }
    if (state == TENANT_FAILED &&
        (index < schedule->rules.canaries || schedule->counts[TENANT_FAILED] > schedule->rules.failures_most))
        schedule_stop(schedule);
}

int64_t schedule_elsewhere_ms(const struct schedule *schedule, size_t index, int64_t now_ms)
{
    const struct schedule_place *place = &schedule->places[index];

    return place->looks == 0 ? 0 : now_ms - place->since_ms;
}

void schedule_stop(struct schedule *schedule)
{
    schedule->is_stopped = true;
}

bool schedule_is_over(const struct schedule *schedule)
{
    return schedule->counts[TENANT_RUNNING] == 0 &&
           (schedule->is_stopped ||
            schedule->counts[TENANT_WAITING] + schedule->counts[TENANT_ELSEWHERE] == 0);
}

int64_t schedule_again_ms(const struct schedule *schedule)
{
    bool is_full = schedule->counts[TENANT_RUNNING] >= schedule->rules.parallel;
    size_t canary = next_canary(schedule);
    int64_t first = -1;

    for (size_t i = 0; i < schedule->count && schedule->counts[TENANT_ELSEWHERE] > 0 && !is_full; i++) {
        const struct schedule_place *place = &schedule->places[i];

        if (place->state == TENANT_ELSEWHERE && (canary == SCHEDULE_NOBODY || canary == i) &&
            has_room(schedule, &schedule->lanes[place->lane]) && (first < 0 || place->again_ms < first))
            first = place->again_ms;
    }
    return first;
}

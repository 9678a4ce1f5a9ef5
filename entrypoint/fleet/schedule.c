#include "fleet/schedule.h"

enum { AGAIN_FIRST_MS = 250, AGAIN_MOST_MS = 4000, LOOKS_DOUBLING = 4 };

static void queue_lane(struct schedule *schedule, size_t number)
{
    struct schedule_lane *lane = &schedule->lanes[number];
    struct schedule_server *server = &schedule->servers[lane->server];

    if (lane->is_queued || lane->first == SCHEDULE_NOBODY || lane->rest_ms != 0 ||
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

    lane->count++;
    schedule->places[index].next = SCHEDULE_NOBODY;
    schedule->places[index].before = lane->first == SCHEDULE_NOBODY ? SCHEDULE_NOBODY : lane->last;
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
        .lane_count = map->lane_count,
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

uint32_t schedule_part_of(unsigned number)
{
    uint32_t part = 0;

    for (int bit = 0; bit < 32; bit++)
        part |= ((uint32_t)number >> bit & 1) << (31 - bit);
    return part;
}

/* So many of `count` come first no longer. */
static size_t offset_of(size_t count, uint32_t part)
{
    return (size_t)(((uint64_t)count * part) >> 32);
}

static void turn_lane(struct schedule *schedule, struct schedule_lane *lane, uint32_t part)
{
    struct schedule_place *places = schedule->places;
    size_t waiting = 0;
    size_t first = lane->first;

    for (size_t i = lane->first; i != SCHEDULE_NOBODY; i = places[i].next)
        waiting++;
    for (size_t left = offset_of(waiting, part); left > 0; left--)
        first = places[first].next;
    if (first == lane->first)
        return;
    places[lane->last].next = lane->first;
    places[lane->first].before = lane->last;
    lane->first = first;
    lane->last = places[first].before;
    places[lane->first].before = SCHEDULE_NOBODY;
    places[lane->last].next = SCHEDULE_NOBODY;
}

static void turn_server(struct schedule *schedule, struct schedule_server *server, uint32_t part)
{
    struct schedule_lane *lanes = schedule->lanes;
    size_t queued = 0;
    size_t last = SCHEDULE_NOBODY;

    for (size_t i = server->first; i != SCHEDULE_NOBODY; i = lanes[i].next)
        queued++;
    for (size_t left = offset_of(queued, part); left > 0; left--)
        last = last == SCHEDULE_NOBODY ? server->first : lanes[last].next;
    if (last == SCHEDULE_NOBODY)
        return;
    lanes[server->last].next = server->first;
    server->first = lanes[last].next;
    server->last = last;
    lanes[last].next = SCHEDULE_NOBODY;
}

void schedule_begin_at(struct schedule *schedule, size_t server, uint32_t part)
{
    turn_server(schedule, &schedule->servers[server], part);
    for (size_t i = 0; i < schedule->lane_count; i++) {
        if (schedule->lanes[i].server == server)
            turn_lane(schedule, &schedule->lanes[i], part);
    }
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

    return server->running < server->most && lane->rest_ms == 0 &&
           lane->running < schedule->rules.parallel_in_lane;
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

        if (lane->first != SCHEDULE_NOBODY && lane->rest_ms == 0 &&
            lane->running < schedule->rules.parallel_in_lane)
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

/* It waits no longer. */
static void take_out(struct schedule *schedule, size_t index)
{
    const struct schedule_place *place = &schedule->places[index];
    struct schedule_lane *lane = &schedule->lanes[place->lane];

    if (place->before == SCHEDULE_NOBODY)
        lane->first = place->next;
    else
        schedule->places[place->before].next = place->next;
    if (place->next == SCHEDULE_NOBODY)
        lane->last = place->before;
    else
        schedule->places[place->next].before = place->before;
}

/* The turn of its lane, too, is over, if it had it. */
static void take_turn(struct schedule *schedule, size_t number)
{
    struct schedule_lane *lane = &schedule->lanes[number];
    struct schedule_server *server = &schedule->servers[lane->server];

    if (server->first == number) {
        server->first = lane->next;
        lane->is_queued = false;
    }
}

static void begin(struct schedule *schedule, size_t index)
{
    size_t number = schedule->places[index].lane;
    struct schedule_lane *lane = &schedule->lanes[number];

    if (schedule->places[index].state == TENANT_WAITING) {
        take_out(schedule, index);
        take_turn(schedule, number);
    }
    enter(schedule, index, TENANT_RUNNING);
    lane->running++;
    schedule->servers[lane->server].running++;
    queue_lane(schedule, number);
}

static void end_rests(struct schedule *schedule, int64_t now_ms)
{
    for (size_t i = 0; i < schedule->lane_count && schedule->resting > 0; i++) {
        struct schedule_lane *lane = &schedule->lanes[i];

        if (lane->rest_ms == 0 || lane->rest_ms > now_ms)
            continue;
        lane->rest_ms = 0;
        schedule->resting--;
        queue_lane(schedule, i);
    }
}

size_t schedule_next(struct schedule *schedule, int64_t now_ms)
{
    size_t canary = next_canary(schedule);
    size_t index;

    end_rests(schedule, now_ms);
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

void schedule_defer(struct schedule *schedule, size_t index, int64_t until_ms)
{
    if (schedule->places[index].state != TENANT_WAITING)
        return;
    take_out(schedule, index);
    enter(schedule, index, TENANT_ELSEWHERE);
    schedule->places[index].again_ms = until_ms;
}

/* A lane with only one has a pause for that. */
void schedule_rest(struct schedule *schedule, size_t index, int64_t until_ms)
{
    struct schedule_lane *lane = &schedule->lanes[schedule->places[index].lane];

    if (lane->count == 1 || lane->rest_ms >= until_ms)
        return;
    schedule->resting += lane->rest_ms == 0;
    lane->rest_ms = until_ms;
}

bool schedule_finish(struct schedule *schedule, size_t index)
{
    const enum tenant_state state = schedule->places[index].state;

    if (state != TENANT_WAITING && state != TENANT_ELSEWHERE)
        return false;
    if (state == TENANT_WAITING)
        take_out(schedule, index);
    enter(schedule, index, TENANT_DONE);
    return true;
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
    for (size_t i = 0; i < schedule->lane_count && schedule->resting > 0 && !is_full; i++) {
        const int64_t rest_ms = schedule->lanes[i].rest_ms;

        if (rest_ms != 0 && canary == SCHEDULE_NOBODY && (first < 0 || rest_ms < first))
            first = rest_ms;
    }
    return first;
}

#include "fleet/schedule.h"

enum { AGAIN_FIRST_MS = 250, AGAIN_MOST_MS = 4000, LOOKS_DOUBLING = 4 };

static void append(struct schedule *schedule, size_t index)
{
    struct schedule_server *server = &schedule->servers[schedule->places[index].server];

    schedule->places[index].next = SCHEDULE_NOBODY;
    if (server->first == SCHEDULE_NOBODY)
        server->first = index;
    else
        schedule->places[server->last].next = index;
    server->last = index;
}

struct schedule schedule_begin(struct arena *arena, struct schedule_rules rules, const size_t *servers,
                               size_t count, size_t server_count)
{
    struct schedule schedule = {
        .rules = rules,
        .places = arena_alloc(arena, count, sizeof *schedule.places),
        .count = count,
        .servers = arena_alloc(arena, server_count, sizeof *schedule.servers),
        .server_count = server_count,
        .counts = { [TENANT_WAITING] = count },
    };

    for (size_t i = 0; i < server_count; i++)
        schedule.servers[i] = (struct schedule_server) { .most = 1, .first = SCHEDULE_NOBODY };
    for (size_t i = 0; i < count; i++) {
        schedule.places[i].server = servers[i];
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

static bool has_room(const struct schedule *schedule, size_t server)
{
    return schedule->servers[server].running < schedule->servers[server].most;
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

static size_t next_waiting(const struct schedule *schedule)
{
    size_t best = SCHEDULE_NOBODY;

    for (size_t i = 0; i < schedule->server_count; i++) {
        const struct schedule_server *server = &schedule->servers[i];

        if (server->first != SCHEDULE_NOBODY && has_room(schedule, i) &&
            (best == SCHEDULE_NOBODY || server->running < schedule->servers[best].running))
            best = i;
    }
    return best == SCHEDULE_NOBODY ? SCHEDULE_NOBODY : schedule->servers[best].first;
}

static size_t next_elsewhere(const struct schedule *schedule, int64_t now_ms)
{
    for (size_t i = 0; i < schedule->count && schedule->counts[TENANT_ELSEWHERE] > 0; i++) {
        const struct schedule_place *place = &schedule->places[i];

        if (place->state == TENANT_ELSEWHERE && place->again_ms <= now_ms &&
            has_room(schedule, place->server))
            return i;
    }
    return SCHEDULE_NOBODY;
}

/* Of those that wait: it need not be the first of its server. */
static void take_out(struct schedule *schedule, size_t index)
{
    struct schedule_server *server = &schedule->servers[schedule->places[index].server];
    size_t before = SCHEDULE_NOBODY;

    for (size_t i = server->first; i != index; i = schedule->places[i].next)
        before = i;
    if (before == SCHEDULE_NOBODY)
        server->first = schedule->places[index].next;
    else
        schedule->places[before].next = schedule->places[index].next;
    if (server->last == index)
        server->last = before;
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
    if (schedule->places[index].state == TENANT_WAITING)
        take_out(schedule, index);
    enter(schedule, index, TENANT_RUNNING);
    schedule->servers[schedule->places[index].server].running++;
    return index;
}

void schedule_end(struct schedule *schedule, size_t index, enum tenant_state state, int64_t now_ms)
{
    struct schedule_place *place = &schedule->places[index];

    enter(schedule, index, state);
    schedule->servers[place->server].running--;
    if (state == TENANT_ELSEWHERE) {
        int64_t pause = (int64_t)AGAIN_FIRST_MS
                        << (place->looks < LOOKS_DOUBLING ? place->looks : LOOKS_DOUBLING);

        place->looks++;
        place->again_ms = now_ms + (pause < AGAIN_MOST_MS ? pause : AGAIN_MOST_MS);
    }
    if (state == TENANT_FAILED &&
        (index < schedule->rules.canaries || schedule->counts[TENANT_FAILED] > schedule->rules.failures_most))
        schedule_stop(schedule);
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
    int64_t first = -1;

    for (size_t i = 0; i < schedule->count && schedule->counts[TENANT_ELSEWHERE] > 0; i++) {
        const struct schedule_place *place = &schedule->places[i];

        if (place->state == TENANT_ELSEWHERE && (first < 0 || place->again_ms < first))
            first = place->again_ms;
    }
    return first;
}

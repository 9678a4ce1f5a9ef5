#include "fleet/rollout.h"

#include <string.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/signals.h"
#include "config/endpoint.h"
#include "fleet/conclusion.h"
#include "fleet/location.h"
#include "fleet/outage.h"
#include "fleet/sharing.h"
#include "history/shared_folder.h"
#include "postgres/budget.h"
#include "postgres/handover.h"
#include "postgres/reach.h"

/* In one database one applies, while the next one connects and looks what is pending. */
enum { LEADERS_MOST = 2, WAIT_MOST_MS = 60 * 1000, COUNT_EVERY_MS = 1000 };

/* What a tenant has open at most: its connections, the folder, a file, pipes. And what the process has. */
enum { DESCRIPTORS_OF_TENANT = 8, DESCRIPTORS_OF_PROCESS = 24 };

/* How many tenants are on a server, and how many connections it can spare. */
struct server {
    size_t tenants;
    struct known_room room;
    bool is_counted_for_all; /* whatever the database */
    struct outage outage;
};

/* A session that nobody has taken yet. */
struct spare {
    struct handover session;
    size_t lane;
};

/* All that is going on. */
struct crew {
    const struct config *config;
    const struct rollout_work *work;
    struct rollout *out;
    struct schedule *schedule; /* in the arena */
    struct sharing *sharing;   /* or NULL */
    struct server *servers;
    struct spare *spares; /* room for as many as run at a time */
    size_t spare_count;
    struct conclusion conclusion;
};

/* One that runs. */
struct member {
    struct crew *crew;
    size_t index; /* in the schedule */
    struct config config;
    struct handover session; /* that of the tenant before it, if there is one; then its own */
    struct tenant_run run;
};

/* Numbers servers and databases. */
static void number(const struct crew *crew, const struct location *locations, size_t *lanes, size_t *servers,
                   struct schedule_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        map->server_count += location_begins_server(locations, i);
        if (location_begins_database(locations, i))
            servers[map->lane_count++] = map->server_count - 1;
        lanes[locations[i].index] = map->lane_count - 1;
        crew->servers[map->server_count - 1].tenants++;
    }
}

/* Of a tenant that was not looked at. */
static const char DONE_BY_ANOTHER[] = "done by another process";

static void end_elsewhere(void *context, size_t index)
{
    const struct crew *crew = context;
    struct tenant_result *result = &crew->out->results[index];
    const struct tenant_run run = { .tenant = &crew->out->tenants->items[index],
                                    .config = crew->config,
                                    .arena = crew->config->arena,
                                    .results = crew->config->arena,
                                    .result = result };

    result->state = TENANT_DONE;
    result->word = DONE_BY_ANOTHER;
    result->is_fine = true;
    result->is_by_another = true;
    crew->work->changed(&run, crew->work->context, NULL);
}

/* Without a descriptor, a connection would seem not to answer, and a folder not to be there. */
static size_t affordable(size_t wanted, size_t tenants)
{
    const size_t most = descriptors_most();
    const size_t spare = most > DESCRIPTORS_OF_PROCESS ? most - DESCRIPTORS_OF_PROCESS : 0;
    const size_t parallel = spare < 2 * DESCRIPTORS_OF_TENANT ? 1 : spare / DESCRIPTORS_OF_TENANT;

    if (parallel >= wanted)
        return wanted;
    if (parallel < tenants)
        log_warn("%zu tenant%s at a time instead of %zu: the process may have %zu files open (ulimit -n)",
                 parallel, text_plural(parallel), wanted, most);
    return parallel;
}

static bool begin(struct crew *crew, struct error *err)
{
    const struct tenant_list *tenants = crew->out->tenants;
    struct arena *arena = crew->config->arena;
    auto_free struct location *locations = memory_new(tenants->count + 1, sizeof *locations);
    auto_free size_t *lanes = memory_new(tenants->count + 1, sizeof *lanes);
    auto_free size_t *servers = memory_new(tenants->count + 1, sizeof *servers);
    struct schedule_map map = { .lanes = lanes, .servers = servers, .count = tenants->count };
    const size_t parallel = affordable((size_t)crew->config->parallel, tenants->count);
    const struct schedule_rules rules = { .canaries = tenants->canaries,
                                          .parallel = parallel,
                                          .parallel_in_lane = crew->work->leads ? LEADERS_MOST : parallel,
                                          .failures_most =
                                              crew->work->leads ? tenants->failures_most : SIZE_MAX };

    crew->servers = arena_alloc(arena, tenants->count, sizeof *crew->servers);
    crew->spares = arena_alloc(arena, parallel, sizeof *crew->spares);
    if (!locations_find(crew->config, tenants, locations, err))
        return false;
    number(crew, locations, lanes, servers, &map);
    *crew->schedule = schedule_begin(arena, rules, &map);
    if (crew->work->leads)
        crew->sharing = sharing_begin(&(const struct sharing_plan) { .config = crew->config,
                                                                     .tenants = tenants,
                                                                     .locations = locations,
                                                                     .schedule = crew->schedule,
                                                                     .done = end_elsewhere,
                                                                     .context = crew });
    return true;
}

static const struct schedule_lane *lane_of(const struct member *member)
{
    const struct schedule *schedule = member->crew->schedule;

    return &schedule->lanes[schedule->places[member->index].lane];
}

/* How many at a time leave the application its headroom: each has one connection, or waits without any. Again
 * and again, since an application grows, and other processes do the same. The one that counts is as good as
 * one that has ended, and that the server still has for a moment. */
static bool count_room(const struct member *member, struct error *err)
{
    const struct crew *crew = member->crew;
    const struct schedule *schedule = crew->schedule;
    const size_t number = lane_of(member)->server;
    const struct tenant_run *run = &member->run;
    auto_connection struct connection *conn = NULL;
    struct endpoint endpoint;
    struct budget budget;
    bool is_for_all;
    int running;
    int room;

    /* What would be created cannot be asked. */
    if (!deadline_passed(crew->servers[number].room.until) || crew->servers[number].tenants == 1 ||
        crew->config->parallel == 1 || run->result->creation == CREATION_DUE)
        return true;
    if (!endpoint_find(run->arena, run->config, &endpoint, err) ||
        (conn = reach_database(run->config, &endpoint, NULL, err)) == NULL ||
        !budget_read(run->arena, conn, &budget, err) || !budget_is_for_all(conn, &is_for_all, err))
        return error_context(err, "counting the server's connections");
    running = (int)schedule->servers[number].running;
    room = budget_room(&budget) - (int)crew->config->headroom + running - 1;
    /* Less those that may begin before it is counted again. */
    crew->servers[number].room =
        (struct known_room) { .until = deadline_in(COUNT_EVERY_MS),
                              .left = budget_room(&budget) - (int)crew->config->parallel + running };
    crew->servers[number].is_counted_for_all = is_for_all;
    schedule_widen(crew->schedule, number, room > 1 ? (size_t)room : 1);
    handover_leave(run->config->handover, &endpoint, steal(&conn), false);
    event_loop_wake();
    return true;
}

static void take_spare(struct crew *crew, size_t lane, struct handover *out)
{
    size_t i = 0;

    while (i < crew->spare_count && crew->spares[i].lane != lane)
        i++;
    if (i == crew->spare_count)
        return;
    *out = crew->spares[i].session;
    crew->spares[i] = crew->spares[--crew->spare_count];
}

static void leave_spare(struct crew *crew, size_t lane, struct handover *session)
{
    if (session->conn != NULL)
        crew->spares[crew->spare_count++] = (struct spare) { .session = *session, .lane = lane };
}

/* What nobody has begun with would only take room on its server. */
static void close_spares(struct crew *crew)
{
    while (crew->spare_count > 0)
        handover_end(&crew->spares[--crew->spare_count].session);
}

static enum tenant_state state_after(const struct member *member, const struct error *err)
{
    const struct crew *crew = member->crew;

    if (err->class == ERROR_INTERRUPTED)
        return TENANT_INTERRUPTED;
    if (err->class == ERROR_LEADER && schedule_elsewhere_ms(crew->schedule, member->index, clock_now_ms()) <
                                          crew->config->leader_timeout_ms)
        return TENANT_ELSEWHERE;
    return TENANT_FAILED;
}

static void end(struct member *member, bool is_done, struct error *err)
{
    struct crew *crew = member->crew;
    struct tenant_result *result = member->run.result;

    result->state = is_done ? TENANT_DONE : state_after(member, err);
    if (result->state == TENANT_FAILED || result->state == TENANT_INTERRUPTED)
        conclusion_note(&crew->conclusion, &member->run, err);
    schedule_end(crew->schedule, member->index, result->state, clock_now_ms());
    crew->work->changed(&member->run, crew->work->context, is_done ? NULL : err);
    sharing_say_ended(crew->sharing, member->index, result->count > 0);
}

/* Each counts for itself where there may not be enough for all. */
static void tell_room(struct member *member)
{
    const struct crew *crew = member->crew;
    const struct server *server = &crew->servers[lane_of(member)->server];

    if (server->is_counted_for_all && server->room.left > (int)crew->config->headroom)
        member->config.room = server->room;
}

static bool work_on(struct member *member, struct error *err)
{
    const struct crew *crew = member->crew;

    if (!create_missing(member->run.arena, crew->config, member->run.tenant, &member->run.result->creation,
                        err) ||
        !count_room(member, err))
        return false;
    tell_room(member);
    member->session.is_last = lane_of(member)->first == SCHEDULE_NOBODY;
    return crew->work->run(&member->run, crew->work->context, err);
}

/* Unless its server is known to be out of reach. */
static bool try(struct member *member, struct error *err)
{
    const struct crew *crew = member->crew;
    struct outage *outage = &crew->servers[lane_of(member)->server].outage;
    bool is_done;

    if (!outage_allows(outage, &member->config, err))
        return false;
    is_done = work_on(member, err);
    outage_note(outage, crew->config->arena, member->run.tenant, is_done ? NULL : err);
    return is_done;
}

static void run_member(void *context)
{
    struct member *member = context;
    const struct crew *crew = member->crew;
    struct error err = { .class = ERROR_NONE };
    int64_t begun_ms = clock_now_ms();
    bool is_done;

    log_context(LOG_TENANT, member->run.tenant->name);
    member->run.result->state = TENANT_RUNNING;
    crew->work->changed(&member->run, crew->work->context, NULL);
    log_be_brief(true);
    is_done = try(member, &err);
    member->run.result->took_ms += clock_now_ms() - begun_ms;
    log_be_brief(false);
    leave_spare(member->crew, crew->schedule->places[member->index].lane, &member->session);
    end(member, is_done, &err);
    arena_free(member->run.arena);
    memory_free(member);
}

static bool start(struct crew *crew, size_t index, struct error *err)
{
    struct member *member = memory_new(1, sizeof *member);
    const struct tenant *tenant = &crew->out->tenants->items[index];

    *member = (struct member) { .crew = crew, .index = index, .config = tenant_config(crew->config, tenant) };
    member->run = (struct tenant_run) { .tenant = tenant,
                                        .config = &member->config,
                                        .arena = arena_new(),
                                        .results = crew->config->arena,
                                        .result = &crew->out->results[index] };
    member->config.arena = member->run.arena;
    /* Where another process leads, the next tenant is looked at, not waited. */
    member->config.leader_timeout_ms = 0;
    member->config.handover = &member->session;
    take_spare(crew, crew->schedule->places[index].lane, &member->session);
    if (event_loop_start(run_member, member)) {
        sharing_say_begun(crew->sharing, index);
        return true;
    }
    handover_end(&member->session);
    arena_free(member->run.arena);
    memory_free(member);
    schedule_end(crew->schedule, index, TENANT_WAITING, clock_now_ms());
    schedule_stop(crew->schedule);
    return error_set(err, ERROR_USAGE, "there is no memory for %zu tenants at a time",
                     crew->schedule->counts[TENANT_RUNNING] + 1);
}

static int64_t patience_ms(const struct crew *crew)
{
    int64_t again = schedule_again_ms(crew->schedule);
    int64_t left = again < 0 ? WAIT_MOST_MS : again - clock_now_ms();

    return left < 0 ? 0 : left < WAIT_MOST_MS ? left : WAIT_MOST_MS;
}

static bool run_all(struct crew *crew, struct error *err)
{
    bool is_good = true;

    while (!schedule_is_over(crew->schedule)) {
        struct pollfd watched = { .fd = signals_pending() == 0 ? signals_descriptor() : -1,
                                  .events = POLLIN };
        size_t index;

        if (signals_pending() != 0)
            schedule_stop(crew->schedule);
        while (is_good && (index = schedule_next(crew->schedule, clock_now_ms())) != SCHEDULE_NOBODY)
            is_good = start(crew, index, err);
        close_spares(crew);
        sharing_flush(crew->sharing);
        if (!schedule_is_over(crew->schedule))
            (void)event_loop_poll(&watched, 1, patience_ms(crew));
    }
    close_spares(crew);
    return is_good;
}

bool rollout_run(const struct config *config, const struct tenant_list *tenants,
                 const struct rollout_work *work, struct rollout *out, struct error *err)
{
    struct shared_folder folder = { .arena = config->arena };
    struct config shared = *config;
    struct crew crew = { .config = &shared, .work = work, .out = out };
    bool is_done;

    shared.shared_folder = &folder;
    crew.schedule = arena_alloc(config->arena, 1, sizeof *crew.schedule);
    *out = (struct rollout) { .tenants = tenants,
                              .counts = crew.schedule->counts,
                              .results = arena_alloc(config->arena, tenants->count, sizeof *out->results) };
    is_done = begin(&crew, err) && run_all(&crew, err);
    sharing_end(crew.sharing);
    return is_done && conclusion_draw(&crew.conclusion, out, work->leads, err);
}

#include "fleet/sharing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/endpoint.h"
#include "fleet/fingerprint.h"
#include "fleet/meeting.h"

/* Fewer tenants of a server are not worth a connection. */
enum { TENANTS_LEAST = 8, MEETINGS_MOST = 8 };

/* For how long a tenant is left to the process that has begun it, and a database to the one that leads in it,
 * as far as was heard or met. It may be gone. */
enum { BEGUN_MS = 1000, LED_MS = 250 };

struct shared {
    char key[SHA256_HEX_SIZE];
    size_t index;
    size_t group;
    bool is_done; /* another process has done it while it was running here */
};

/* The tenants of a server that have the role of its meeting. */
struct group {
    struct sharing *sharing;
    size_t server;
    struct meeting *meeting; /* or NULL */
};

struct sharing {
    struct sharing_plan plan;
    char fingerprint[SHA256_HEX_SIZE];
    struct shared *items; /* in the order of their keys */
    size_t count;
    size_t *numbers; /* of each tenant: its item; SIZE_MAX = it has none */
    struct group groups[MEETINGS_MOST];
    size_t group_count;
};

static void on_enter(void *context, bool is_in, unsigned number)
{
    const struct group *group = context;
    struct schedule *schedule = group->sharing->plan.schedule;

    if (is_in)
        schedule_begin_at(schedule, group->server, schedule_part_of(number));
    schedule_widen(schedule, group->server, 1);
    event_loop_wake();
}

static int compare_keys(const void *one, const void *other)
{
    const struct shared *left = one;
    const struct shared *right = other;

    return strcmp(left->key, right->key);
}

static void say_what_runs(const struct sharing *sharing, const struct group *group)
{
    const struct schedule *schedule = sharing->plan.schedule;

    for (size_t i = 0; i < sharing->count && schedule->counts[TENANT_RUNNING] > 0; i++) {
        const struct shared *item = &sharing->items[i];

        if (&sharing->groups[item->group] == group && schedule->places[item->index].state == TENANT_RUNNING)
            meeting_say(group->meeting, WORD_BEGUN, item->key);
    }
}

static void finish(const struct sharing *sharing, struct shared *item)
{
    const struct sharing_plan *plan = &sharing->plan;

    if (schedule_finish(plan->schedule, item->index))
        plan->done(plan->context, item->index);
    else
        item->is_done = true;
}

static void on_hear(void *context, const struct word *word)
{
    const struct group *group = context;
    const struct sharing *sharing = group->sharing;
    struct schedule *schedule = sharing->plan.schedule;
    struct shared wanted = { .index = 0 };
    struct shared *item;

    if (word->kind == WORD_HELLO) {
        say_what_runs(sharing, group);
        return;
    }
    memcpy(wanted.key, word->key, sizeof wanted.key);
    item = bsearch(&wanted, sharing->items, sharing->count, sizeof wanted, compare_keys);
    if (item == NULL || &sharing->groups[item->group] != group || schedule->is_stopped)
        return;
    if (word->kind == WORD_BEGUN) {
        schedule_defer(schedule, item->index, clock_now_ms() + BEGUN_MS);
        return;
    }
    if (word->kind == WORD_APPLIED)
        schedule_rest(schedule, item->index, clock_now_ms() + LED_MS);
    log_context(LOG_TENANT, sharing->plan.tenants->items[item->index].name);
    finish(sharing, item);
    log_context(LOG_TENANT, NULL);
    if (schedule_is_over(schedule) || item->index < schedule->rules.canaries)
        event_loop_wake();
}

/* The URL's own database is the same for all processes with the same list. NULL = it is elsewhere. */
static const char *base_user(const struct config *config, const char *server)
{
    auto_arena struct arena *arena = arena_new();
    struct endpoint endpoint;
    struct error ignored;
    const char *name;

    if ((config->database_url == NULL && config->direct_url == NULL) ||
        !endpoint_find(arena, config, &endpoint, &ignored) ||
        strcmp(location_server(arena, &endpoint), server) != 0)
        return NULL;
    name = endpoint_value(&endpoint, "user");
    return name == NULL ? "" : arena_copy(config->arena, name, strlen(name));
}

/* Those of a role, of the server that begins at `from` and ends before `until`; false = there are too few. */
static bool add_items(struct sharing *sharing, size_t from, size_t until, const char *user)
{
    const size_t before = sharing->count;

    for (size_t i = from; i < until; i++) {
        const struct location *location = &sharing->plan.locations[i];
        const char *const parts[] = { sharing->fingerprint, location->server, location->database,
                                      location->schema, location->ledger };
        struct shared *item = &sharing->items[sharing->count];
        struct sha256 sha256;
        unsigned char digest[SHA256_BYTES];

        if (strcmp(location->user, user) != 0)
            continue;
        sha256_begin(&sha256);
        for (size_t part = 0; part < array_length(parts); part++)
            sha256_add(&sha256, parts[part], strlen(parts[part]) + 1);
        sha256_end(&sha256, digest);
        *item = (struct shared) { .index = location->index, .group = sharing->group_count };
        sha256_hex(digest, item->key);
        sharing->count++;
    }
    if (sharing->count - before >= TENANTS_LEAST)
        return true;
    sharing->count = before;
    return false;
}

static void add_group(struct sharing *sharing, size_t server, size_t from, size_t until)
{
    const struct sharing_plan *plan = &sharing->plan;
    const struct location *first = &plan->locations[from];
    struct group *group = &sharing->groups[sharing->group_count];
    const struct attendee attendee = { on_enter, on_hear, group };
    const char *user = base_user(plan->config, first->server);
    struct config config;

    if (user != NULL && add_items(sharing, from, until, user))
        config = *plan->config;
    else if (add_items(sharing, from, until, first->user))
        config = tenant_config(plan->config, &plan->tenants->items[first->index]);
    else
        return;
    *group = (struct group) { .sharing = sharing, .server = server };
    group->meeting = meeting_begin(&config, &attendee);
    if (group->meeting != NULL)
        schedule_widen(plan->schedule, server, 0);
    sharing->group_count++;
}

static void add_groups(struct sharing *sharing)
{
    const size_t count = sharing->plan.tenants->count;
    size_t from = 0;

    for (size_t server = 0; from < count && sharing->group_count < MEETINGS_MOST; server++) {
        size_t until = from + 1;

        while (until < count && !location_begins_server(sharing->plan.locations, until))
            until++;
        if (until - from >= TENANTS_LEAST)
            add_group(sharing, server, from, until);
        from = until;
    }
}

static bool is_worth_it(const struct sharing_plan *plan)
{
    return plan->config->connections >= 2 && plan->tenants->count >= TENANTS_LEAST;
}

struct sharing *sharing_begin(const struct sharing_plan *plan)
{
    struct arena *arena = plan->config->arena;
    struct sharing *sharing = arena_alloc(arena, 1, sizeof *sharing);
    struct error err;

    if (!is_worth_it(plan))
        return NULL;
    sharing->plan = *plan;
    if (!fingerprint_make(plan->config, sharing->fingerprint, &err)) {
        log_debug("the list is not shared with other processes: %s", err.message);
        return NULL;
    }
    sharing->items = arena_alloc(arena, plan->tenants->count, sizeof *sharing->items);
    sharing->numbers = arena_alloc(arena, plan->tenants->count, sizeof *sharing->numbers);
    add_groups(sharing);
    qsort(sharing->items, sharing->count, sizeof *sharing->items, compare_keys);
    for (size_t i = 0; i < plan->tenants->count; i++)
        sharing->numbers[i] = SIZE_MAX;
    for (size_t i = 0; i < sharing->count; i++)
        sharing->numbers[sharing->items[i].index] = i;
    return sharing;
}

static struct shared *item_of(const struct sharing *sharing, size_t index)
{
    return sharing == NULL || sharing->numbers[index] == SIZE_MAX ? NULL
                                                                  : &sharing->items[sharing->numbers[index]];
}

static void say(const struct sharing *sharing, const struct shared *item, enum word_kind kind)
{
    struct meeting *meeting = sharing->groups[item->group].meeting;

    if (meeting != NULL)
        meeting_say(meeting, kind, item->key);
}

static bool is_in_company(const struct sharing *sharing, const struct shared *item)
{
    const struct meeting *meeting = sharing->groups[item->group].meeting;

    return meeting != NULL && meeting_has_company(meeting);
}

void sharing_say_begun(struct sharing *sharing, size_t index)
{
    const struct shared *item = item_of(sharing, index);

    /* Another look at what another process has does not mean that nobody else need look. */
    if (item != NULL && sharing->plan.schedule->places[index].looks == 0)
        say(sharing, item, WORD_BEGUN);
}

void sharing_say_ended(struct sharing *sharing, size_t index, bool has_applied)
{
    struct shared *item = item_of(sharing, index);

    if (item == NULL)
        return;
    switch (sharing->plan.schedule->places[index].state) {
    case TENANT_DONE:
        say(sharing, item, has_applied ? WORD_APPLIED : WORD_DONE);
        break;
    case TENANT_ELSEWHERE:
        if (item->is_done)
            finish(sharing, item);
        else if (is_in_company(sharing, item))
            schedule_rest(sharing->plan.schedule, index, clock_now_ms() + LED_MS);
        break;
    default:
        break;
    }
}

void sharing_flush(struct sharing *sharing)
{
    for (size_t i = 0; sharing != NULL && i < sharing->group_count; i++) {
        if (sharing->groups[i].meeting != NULL)
            meeting_flush(sharing->groups[i].meeting);
    }
}

void sharing_end(struct sharing *sharing)
{
    for (size_t i = 0; sharing != NULL && i < sharing->group_count; i++)
        meeting_end(sharing->groups[i].meeting);
}

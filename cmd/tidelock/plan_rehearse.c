#include "base/log.h"
#include "base/memory.h"
#include "plan.h"
#include "shadow/rehearse.h"
#include "shadow/shadow.h"

/* What is there already, and then what is pending. */
static bool rehearse_in(struct shadow *shadow, const struct plan_comparison *found, struct plan *plan,
                        struct error *err)
{
    const struct folder *folder = &found->target.folder;
    struct arena *arena = shadow->arena;
    bool *is_history = arena_alloc(arena, folder->count, sizeof *is_history);
    struct rehearsed *pending = arena_alloc(arena, plan->count, sizeof *pending);
    struct replay replay;
    bool is_done;

    for (size_t i = 0; i < folder->count; i++)
        is_history[i] = !found->history.items[i].is_due;
    for (size_t i = 0; i < plan->count; i++)
        pending[i] = (struct rehearsed) { .index = plan->migrations[i].index,
                                          .forecast = &plan->migrations[i].forecast };
    is_done = replay_begin(&replay, shadow, folder, found->target.endpoint.schema, err) &&
              replay_history(&replay, is_history, err) && rehearse(&replay, pending, plan->count, err);
    replay_end(&replay);
    return is_done;
}

bool plan_rehearse(const struct plan_comparison *found, struct connection *conn, const struct config *config,
                   struct plan *plan, struct error *err)
{
    const struct shadow_request wanted = { .config = config,
                                           .dialect = found->target.folder.dialect,
                                           .live = &found->target.endpoint,
                                           .conn = conn };
    struct shadow shadow;

    if (plan->count == 0)
        return true;
    if (!shadow_open(config->arena, &wanted, &shadow, err))
        return false;
    log_info("rehearsing in the shadow database \"%s\"", shadow.name);
    plan->is_rehearsed = rehearse_in(&shadow, found, plan, err);
    shadow_close(&shadow);
    return plan->is_rehearsed;
}

#include "shadow/rehearse.h"

#include <string.h>

static void note_failure(struct replay *replay, const struct rehearsed *pending, const struct rule *rule,
                         size_t statement, const struct error *err)
{
    const char *reason = replay_reason(&replay->folder->items[pending->index], err);
    struct forecast *forecast = pending->forecast;

    if (forecast->count == 0)
        return;
    if (statement >= forecast->count)
        statement = forecast->count - 1;
    prediction_add(replay->shadow->arena, &forecast->predictions[statement], rule,
                   arena_copy(replay->shadow->arena, reason, strlen(reason)));
}

static void judge(struct arena *arena, const struct observe *observe, struct forecast *forecast)
{
    for (size_t i = 0; i < forecast->count; i++) {
        if (observe->all[i] != NULL)
            measurement_judge(arena, &forecast->predictions[i], observe->all[i]);
    }
}

/* *is_over: it has failed. */
static bool rehearse_one(struct replay *replay, const struct rehearsed *pending, struct observe *observe,
                         bool *is_over, struct error *err)
{
    size_t failed;

    observe_script(observe, pending->forecast->count);
    *is_over = !replay_migration(replay, pending->index, observe, &failed, err);
    if (*is_over && !replay_is_of_script(err))
        return replay_break_off(err);
    judge(replay->shadow->arena, observe, pending->forecast);
    if (*is_over)
        note_failure(replay, pending, observe->has_reached ? &RULE_NOT_REHEARSED : &RULE_REHEARSAL_FAILED,
                     failed, err);
    forecast_settle(pending->forecast);
    return true;
}

bool rehearse(struct replay *replay, const struct rehearsed *pending, size_t count, struct error *err)
{
    struct look *first = look_take(replay->shadow->conn, err);
    struct observe observe = { .is_on_live_server = replay->shadow->is_on_live_server,
                               .arena = replay->shadow->arena,
                               .first = first };
    bool is_over = false;
    bool is_good = first != NULL;

    observe_begin(&observe, replay->shadow->conn);
    for (size_t i = 0; i < count && is_good && !is_over; i++)
        is_good = rehearse_one(replay, &pending[i], &observe, &is_over, err);
    observe_end(&observe, replay->shadow->conn);
    look_free(first);
    return is_good || error_context(err, "rehearsing what is pending");
}

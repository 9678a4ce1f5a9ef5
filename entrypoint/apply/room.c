#include "apply/room.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/signals.h"
#include "postgres/budget.h"

enum { PAUSE_MOST_MS = 5000, LINE_EVERY_MS = 30 * 1000 };

bool room_look(struct room *room, struct connection *conn, const struct config *config,
               struct progress *progress, struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct budget budget;

    if (!budget_read(arena, conn, &budget, err))
        return error_context(err, "counting the server's connections");
    room->left = budget_room(&budget);
    room->max_connections = budget.max_connections;
    progress->is_counted = true;
    progress->server_connections[PROGRESS_CONNECTIONS_USED] = budget.used;
    progress->server_connections[PROGRESS_CONNECTIONS_RESERVED] = budget.superuser_reserved + budget.reserved;
    progress->server_connections[PROGRESS_CONNECTIONS_FREE] = room->left;
    room->is_enough = room->left >= config->headroom;
    return true;
}

bool room_pause(struct room *room, const struct config *config, struct error *err)
{
    int64_t pause = backoff_pause_ms(room->looks++, PAUSE_MOST_MS);
    int headroom = (int)config->headroom;

    if (deadline_passed(room->until)) {
        error_set(err, ERROR_BUDGET, "the server has only %d connections left for the application, of %d",
                  room->left, room->max_connections);
        error_holds(err, "Nothing was changed by this process.");
        return error_hint(
            err,
            "See where they are: tidelock budget. --headroom %d is what must stay free, --budget-wait how long "
            "to wait for it.",
            headroom);
    }
    if (room->looks == 1 || deadline_passed(room->next_line)) {
        log_info("waiting for room: %d connections are left for the application, %d must stay free",
                 room->left, headroom);
        room->next_line = deadline_in(LINE_EVERY_MS);
    }
    if (pause > deadline_left_ms(room->until))
        pause = deadline_left_ms(room->until);
    return signals_sleep((long)pause) || signals_error(err);
}

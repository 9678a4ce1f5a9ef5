#include "deploy/headroom.h"

#include "base/log.h"
#include "base/memory.h"
#include "postgres/budget.h"

enum { PAUSE_MOST_MS = 5000 };

bool headroom_look(struct headroom *headroom, struct connection *conn, const struct config *config,
                   struct progress *progress, struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct budget budget;

    if (!deadline_passed(config->room.until)) {
        headroom->left = config->room.left;
        headroom->is_enough = headroom->left >= config->headroom;
        if (headroom->is_enough)
            return true;
    }
    if (!budget_read(arena, conn, &budget, err))
        return error_context(err, "counting the server's connections");
    headroom->left = budget_room(&budget);
    headroom->max_connections = budget.max_connections;
    progress->is_counted = true;
    progress->server_connections[PROGRESS_CONNECTIONS_USED] = budget.used;
    progress->server_connections[PROGRESS_CONNECTIONS_RESERVED] = budget.superuser_reserved + budget.reserved;
    progress->server_connections[PROGRESS_CONNECTIONS_FREE] = headroom->left;
    headroom->is_enough = headroom->left >= config->headroom;
    return true;
}

bool headroom_pause(struct headroom *headroom, const struct config *config, struct error *err)
{
    int wanted = (int)config->headroom;

    if (patience_is_over(&headroom->patience)) {
        error_set(err, ERROR_BUDGET, "the server has only %d of %d connections left for the application",
                  headroom->left, headroom->max_connections);
        error_holds(err, "Nothing was changed by this process.");
        return error_hint(err,
                          "To see who uses them: tidelock budget. --headroom %d is how many must stay free, "
                          "--budget-wait how long to wait for that.",
                          wanted);
    }
    if (patience_has_word(&headroom->patience, ""))
        log_wait("waiting for free connections: %d left for the application, %d must stay free",
                 headroom->left, wanted);
    return patience_back_off(&headroom->patience, PAUSE_MOST_MS, err);
}

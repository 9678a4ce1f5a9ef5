#include "shadow/snapshot.h"

#include "base/clock.h"
#include "base/log.h"
#include "schema/catalog.h"
#include "shadow/internal.h"
#include "shadow/replay.h"

static bool replay_all(struct replay *replay, snapshot_note *note, struct error *err)
{
    const struct folder *folder = replay->folder;
    bool *is_wanted = arena_alloc(replay->shadow->arena, folder->count, sizeof *is_wanted);

    for (size_t i = 0; i < folder->count - folder->beyond; i++) {
        int64_t begun = clock_now_ms();

        is_wanted[i] = true;
        if (!replay_history(replay, is_wanted, err))
            return false;
        is_wanted[i] = false;
        if (note != NULL)
            note(folder, i, clock_now_ms() - begun);
    }
    return true;
}

bool shadow_snapshot(const struct shadow_request *wanted, const struct folder *folder, snapshot_note *note,
                     struct facts *out, struct error *err)
{
    struct arena *arena = wanted->config->arena;
    struct shadow shadow;
    struct replay replay;
    bool is_read;

    if (!shadow_open(arena, wanted, &shadow, err))
        return false;
    log_info("replaying the migrations in the shadow database \"%s\"", shadow.name);
    is_read = replay_begin(&replay, &shadow, folder, shadow_schema_of(wanted, &shadow), err) &&
              replay_all(&replay, note, err) &&
              catalog_read(arena, shadow.conn, &(const struct catalog_request) { .dialect = folder->dialect },
                           out, err);
    replay_end(&replay);
    shadow_close(&shadow);
    return is_read;
}

#include "target.h"

#include <stdlib.h>

#include "base/log.h"
#include "config/load.h"
#include "history/folder.h"
#include "history/lock_file.h"

/* Prisma's switch exists because its lock is waited for inside the server; ours never is. */
static void note_lock_switch(void)
{
    const char *value = getenv("PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK");

    if (value != NULL && value[0] != '\0' && !(value[0] == '0' && value[1] == '\0'))
        log_warn(
            "PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK is ignored: the leader lock is what keeps two deployments "
            "apart");
}

bool target_find_unchecked(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    const char *path;

    note_lock_switch();
    return endpoint_find(arena, config, &out->endpoint, err) &&
           folder_locate(arena, config->migrations, config->schema_file, &path, err) &&
           folder_read(arena, path, &out->folder, err);
}

bool target_find(struct arena *arena, const struct config *config, struct target *out, struct error *err)
{
    return target_find_unchecked(arena, config, out, err) && lock_file_check(out->folder.path, err);
}

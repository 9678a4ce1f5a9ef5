#include "history/read_ahead.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum { STEP_SCRIPTS = 8, SCRIPT_MOST = 64 * 1024 };

struct read_ahead {
    const struct folder *folder;
    int directory;                    /* the folder, while it is read */
    char (*checksums)[CHECKSUM_SIZE]; /* empty = not known */
    char *script;                     /* room for one */
    size_t next;
};

struct read_ahead *read_ahead_new(struct arena *arena, const struct folder *folder)
{
    struct read_ahead *read_ahead = arena_alloc(arena, 1, sizeof *read_ahead);

    read_ahead->folder = folder;
    read_ahead->directory = -1;
    read_ahead->checksums = arena_alloc(arena, folder->count, sizeof *read_ahead->checksums);
    read_ahead->script = arena_alloc(arena, SCRIPT_MOST, 1);
    if (!folder->dialect->has_checksums)
        read_ahead->next = folder->count;
    return read_ahead;
}

bool read_ahead_step(void *context)
{
    struct read_ahead *read_ahead = context;
    const struct folder *folder = read_ahead->folder;
    const size_t below = strlen(folder->path) + 1;

    if (read_ahead->directory < 0 && read_ahead->next < folder->count)
        read_ahead->directory = openat(AT_FDCWD, folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < STEP_SCRIPTS && read_ahead->next < folder->count; i++, read_ahead->next++) {
        const struct migration *migration = &folder->items[read_ahead->next];
        const size_t length = migration->is_program
                                  ? 0
                                  : file_read_small(read_ahead->directory, migration->script_path + below,
                                                    read_ahead->script, SCRIPT_MOST);

        if (length > 0)
            folder->dialect->checksum_of((struct slice) { read_ahead->script, length },
                                         read_ahead->checksums[read_ahead->next]);
    }
    if (read_ahead->next < folder->count)
        return true;
    if (read_ahead->directory >= 0)
        (void)close(read_ahead->directory);
    read_ahead->directory = -1;
    return false;
}

bool read_ahead_matches(const struct read_ahead *read_ahead, size_t index, const char *checksum)
{
    return read_ahead != NULL && index < read_ahead->next && checksum[0] != '\0' &&
           strcmp(read_ahead->checksums[index], checksum) == 0;
}

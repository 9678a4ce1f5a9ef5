#include "history/read_ahead.h"

#include <string.h>

#include "base/text.h"
#include "history/script_file.h"

enum { STEP_SCRIPTS = 8, STEP_BYTES_MOST = 64 * 1024 };

struct read_ahead {
    const struct folder *folder;
    char (*checksums)[CHECKSUM_SIZE]; /* empty = not known */
    size_t next;
};

struct read_ahead *read_ahead_new(struct arena *arena, const struct folder *folder)
{
    struct read_ahead *read_ahead = arena_alloc(arena, 1, sizeof *read_ahead);

    read_ahead->folder = folder;
    read_ahead->checksums = arena_alloc(arena, folder->count, sizeof *read_ahead->checksums);
    if (!folder->dialect->has_checksums)
        read_ahead->next = folder->count;
    return read_ahead;
}

bool read_ahead_step(void *context)
{
    struct read_ahead *read_ahead = context;
    const struct folder *folder = read_ahead->folder;
    auto_text struct text script = text_init(STEP_BYTES_MOST);

    for (int i = 0; i < STEP_SCRIPTS && read_ahead->next < folder->count; i++, read_ahead->next++) {
        struct error ignored;

        text_reset(&script);
        if (migration_read(folder->dialect, &folder->items[read_ahead->next], &script, &ignored))
            folder->dialect->checksum_of(text_slice(&script), read_ahead->checksums[read_ahead->next]);
    }
    return read_ahead->next < folder->count;
}

bool read_ahead_matches(const struct read_ahead *read_ahead, size_t index, const char *checksum)
{
    return read_ahead != NULL && index < read_ahead->next && checksum[0] != '\0' &&
           strcmp(read_ahead->checksums[index], checksum) == 0;
}

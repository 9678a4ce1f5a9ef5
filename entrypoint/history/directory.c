#include "history/directory.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int compare(const void *one, const void *other)
{
    const struct directory_entry *a = one;
    const struct directory_entry *b = other;

    return strcmp(a->name, b->name);
}

bool directory_read(struct directory *directory)
{
    struct directory_entry *items = NULL;
    const struct dirent *entry;
    size_t capacity = 0;
    size_t count = 0;
    DIR *open = directory->is_read ? NULL : opendir(directory->path);
    int reason;

    if (open == NULL)
        return directory->is_read;
    while ((errno = 0, entry = readdir(open)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        items = arena_grow(directory->arena, items, count, &capacity, sizeof *items);
        items[count++] =
            (struct directory_entry) { arena_copy(directory->arena, entry->d_name, strlen(entry->d_name)),
                                       entry->d_type };
    }
    reason = errno;
    (void)closedir(open);
    if (count > 1)
        qsort(items, count, sizeof *items, compare);
    directory->items = items;
    directory->count = count;
    directory->is_read = reason == 0;
    errno = reason;
    return directory->is_read;
}

const char *directory_join(struct arena *arena, const char *directory, const char *name)
{
    auto_text struct text path = text_init((size_t)2 * PATH_MAX);

    text_add_format(&path, "%s/%s", directory, name);
    return arena_copy(arena, path.at, path.length);
}

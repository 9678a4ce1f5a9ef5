#include "history/shared_folder.h"

#include <string.h>

#include "history/folder.h"
#include "history/read_ahead.h"

struct arena *shared_arena(const struct shared_folder *shared, struct arena *own)
{
    return shared == NULL ? own : shared->arena;
}

void shared_recognise(struct shared_folder *shared, enum format format, struct directory *directory,
                      struct recognised *out)
{
    if (shared != NULL && shared->is_recognised) {
        *out = shared->recognised;
        return;
    }
    recognise(format, directory, out);
    if (shared == NULL)
        return;
    shared->recognised = *out;
    shared->is_recognised = true;
}

/* A dialect is one of the tool's, with another ledger: its folder is the same. */
static bool is_for(const struct shared_folder *shared, const struct dialect *dialect)
{
    return shared->folder.items != NULL && shared->folder.dialect->format == dialect->format &&
           shared->folder.dialect->layout == dialect->layout;
}

/* What others have of the one before stays. Its dialect may be the tenant's own, with the ledger that its URL
 * names: nothing of that is asked of the folder. */
static bool read_again(struct shared_folder *shared, const struct dialect *dialect,
                       const struct directory *directory, struct error *err)
{
    struct dialect *lasting = arena_alloc(shared->arena, 1, sizeof *lasting);
    struct folder folder;

    *lasting = *dialect;
    if (!folder_read(lasting, directory, &folder, err))
        return false;
    shared->folder = folder;
    shared->read_ahead = NULL;
    return true;
}

bool shared_read(struct shared_folder *shared, struct arena *arena, const struct directory *directory,
                 struct folder *out, struct error *err)
{
    const struct dialect *dialect = out->dialect;

    if (shared == NULL)
        return folder_read(dialect, directory, out, err);
    if (!is_for(shared, dialect) && !read_again(shared, dialect, directory, err))
        return false;
    *out = shared->folder;
    out->dialect = dialect;
    out->session = arena_alloc(arena, 1, sizeof *out->session);
    return true;
}

struct read_ahead *shared_read_ahead(struct shared_folder *shared, struct arena *arena,
                                     const struct folder *folder)
{
    if (shared == NULL || folder->items != shared->folder.items)
        return read_ahead_new(arena, folder);
    if (shared->read_ahead == NULL) {
        struct folder *lasting = arena_alloc(shared->arena, 1, sizeof *lasting);

        *lasting = shared->folder;
        shared->read_ahead = read_ahead_new(shared->arena, lasting);
    }
    return shared->read_ahead;
}

bool shared_is_new(struct shared_folder *shared, const char *words)
{
    if (shared == NULL)
        return true;
    if (shared->said != NULL && strcmp(shared->said, words) == 0)
        return false;
    shared->said = arena_copy(shared->arena, words, strlen(words));
    return true;
}

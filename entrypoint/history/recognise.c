#include "history/recognise.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

/* Enough of a script to see its first comments. */
enum { HEAD_MOST = 64 * 1024 };

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* d_type saves a stat per entry; some file systems do not fill it, and a link says nothing. */
static bool is_directory_entry(const char *path, const struct directory_entry *entry)
{
    char full[2 * PATH_MAX];

    if (entry->type != DT_UNKNOWN && entry->type != DT_LNK)
        return entry->type == DT_DIR;
    (void)snprintf(full, sizeof full, "%s/%s", path, entry->name);
    return is_directory(full);
}

/* One directory with a script is enough to know. */
static struct folder_entry entry_of(const char *path, const struct directory_entry *from, bool *has_script)
{
    char full[2 * PATH_MAX];
    struct folder_entry entry = { .name = from->name, .is_directory = is_directory_entry(path, from) };

    if (!entry.is_directory || *has_script)
        return entry;
    (void)snprintf(full, sizeof full, "%s/%s/migration.sql", path, from->name);
    entry.has_script = *has_script = file_exists(full);
    (void)snprintf(full, sizeof full, "%s/%s/snapshot.json", path, from->name);
    entry.has_snapshot = entry.has_script && file_exists(full);
    return entry;
}

/* ConfigMaps are mounted with links of the kubelet's own, whose names begin with two dots. */
static void look(struct arena *arena, struct directory *directory, struct folder_look *out)
{
    struct folder_entry *entries;
    bool has_script = false;

    (void)directory_read(directory);
    entries = arena_alloc(arena, directory->count, sizeof *entries);
    *out = (struct folder_look) { .entries = entries, .script = slice_of("") };
    for (size_t i = 0; i < directory->count; i++) {
        if (strncmp(directory->items[i].name, "..", 2) != 0)
            entries[out->count++] = entry_of(directory->path, &directory->items[i], &has_script);
    }
}

/* Names that only begin with a number are those of several tools. What follows it tells the others. */
static bool may_be_of_several(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && !text_ends_with(name, ".up.sql") &&
           !text_ends_with(name, ".down.sql");
}

static struct slice head_of_file(struct arena *arena, const char *path, const char *name)
{
    auto_text struct text full = text_init((size_t)2 * PATH_MAX);
    auto_text struct text head = text_init(HEAD_MOST);
    struct error ignored;

    text_add_format(&full, "%s/%s", path, name);
    if (!file_read_head(full.at, &head, &ignored))
        return slice_of("");
    return (struct slice) { arena_copy(arena, head.at, head.length), head.length };
}

/* One with a tool's mark, if there is one; otherwise the first. A script without marks may stand before those
 * that have them, and would not be undone alone. */
static void read_script(struct arena *arena, const char *path, struct folder_look *out)
{
    bool has_first = false;

    for (size_t i = 0; i < out->count; i++) {
        const char *name = out->entries[i].name;
        struct slice head;

        if (out->entries[i].is_directory || !text_ends_with(name, ".sql") ||
            (has_first && !may_be_of_several(name)))
            continue;
        head = head_of_file(arena, path, name);
        if (!has_first || foreign_tool_of("", head) != NULL)
            out->script = head;
        has_first = true;
        if (foreign_tool_of("", head) != NULL)
            return;
    }
}

/* A file that only one tool writes says it at once. */
static bool has_lock_file(const struct dialect *dialect, const char *path)
{
    auto_text struct text file = text_init((size_t)2 * PATH_MAX);

    if (dialect->lock_file == NULL)
        return false;
    text_add_format(&file, "%s/%s", path, dialect->lock_file);
    return file_exists(file.at);
}

/* Some tools' scripts look like those of others: where they lie tells them apart. */
static const struct foreign_tool *owner_by_place(const char *path)
{
    char full[PATH_MAX];
    char *name;

    if (realpath(path, full) == NULL || (name = strrchr(full, '/')) == NULL)
        return NULL;
    *name = '\0';
    name = strrchr(full, '/');
    return name == NULL ? NULL : foreign_owner_of_folder(name + 1);
}

/* Such a file may belong to another folder. */
static bool is_beside(const struct dialect *dialect)
{
    return dialect->lock_file != NULL && dialect->lock_file[0] == '.';
}

/* Where its tool may have written the folder, it has; otherwise it is one of two that may be meant. */
static void hear_what_is_beside(const char *path, const struct folder_look *found, struct recognised *out)
{
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        if (!is_beside(DIALECTS[i]) || !has_lock_file(DIALECTS[i], path))
            continue;
        if (DIALECTS[i]->recognises(found))
            out->count = 0;
        if (out->count < FORMATS)
            out->dialects[out->count++] = DIALECTS[i];
        return;
    }
}

static bool is_asked_for(enum format format, const struct dialect *dialect)
{
    return format == FORMAT_AUTO || dialect->format == format;
}

/* The one whose own file is in the folder, or NULL. */
static const struct dialect *find_proven(enum format format, const char *path)
{
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        if (is_asked_for(format, DIALECTS[i]) && !is_beside(DIALECTS[i]) && has_lock_file(DIALECTS[i], path))
            return DIALECTS[i];
    }
    return NULL;
}

/* The only description of the format, or NULL. */
static const struct dialect *find_only(enum format format)
{
    const struct dialect *only = NULL;

    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        if (DIALECTS[i]->format != format)
            continue;
        if (only != NULL)
            return NULL;
        only = DIALECTS[i];
    }
    return only;
}

static const struct foreign_tool *find_owner(const char *path, const struct folder_look *found)
{
    const struct foreign_tool *owner = NULL;

    for (size_t i = 0; owner == NULL && i < found->count; i++)
        owner = foreign_owner_of(found->entries[i].name);
    return owner != NULL ? owner : owner_by_place(path);
}

/* Those that the folder may be of; returns the first of the format. */
static const struct dialect *add_likely(enum format format, const struct folder_look *found,
                                        struct recognised *out)
{
    const struct dialect *first = NULL;

    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        if (!is_asked_for(format, DIALECTS[i]))
            continue;
        first = first == NULL ? DIALECTS[i] : first;
        if (DIALECTS[i]->recognises(found) && out->count < FORMATS)
            out->dialects[out->count++] = DIALECTS[i];
    }
    return first == NULL ? DIALECTS[0] : first;
}

void recognise(enum format format, struct directory *directory, struct recognised *out)
{
    const char *path = directory->path;
    auto_arena struct arena *arena = arena_new();
    const struct dialect *sure = find_only(format);
    const struct dialect *first;
    struct folder_look found;

    *out = (struct recognised) { .fits = true };
    sure = sure != NULL ? sure : find_proven(format, path);
    if (sure != NULL) {
        out->dialects[out->count++] = sure;
        return;
    }
    look(arena, directory, &found);
    read_script(arena, path, &found);
    out->owner = find_owner(path, &found);
    found.is_format_said = format != FORMAT_AUTO;
    first = add_likely(format, &found, out);
    if (format == FORMAT_AUTO)
        hear_what_is_beside(path, &found, out);
    out->fits = out->count > 0;
    if (!out->fits)
        out->dialects[out->count++] = first;
}

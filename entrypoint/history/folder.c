#include "history/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "history/order.h"

enum { NAME_CHARACTERS_MOST = 255 }; /* migration_name VARCHAR(255) */

static const char SCRIPT_NAME[] = "migration.sql";

static const char *join(struct arena *arena, const char *directory, const char *name)
{
    auto_text struct text path = text_init(PATH_MAX + NAME_MAX);

    text_add_format(&path, "%s/%s", directory, name);
    return arena_copy(arena, path.at, path.length);
}

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* "migrations" beside the schema file, or in the directory that holds a schema of several files. */
static const char *beside_schema(struct arena *arena, const char *schema)
{
    const char *slash = strrchr(schema, '/');

    if (is_directory(schema))
        return join(arena, schema, "migrations");
    if (slash == NULL)
        return "migrations";
    return join(arena, arena_copy(arena, schema, (size_t)(slash - schema)), "migrations");
}

bool folder_locate(struct arena *arena, const char *migrations, const char *schema_file, const char **out,
                   struct error *err)
{
    static const char *const usual[] = { "prisma/migrations", "migrations" };
    const char *said = migrations != NULL ? migrations : NULL;

    if (said == NULL && schema_file != NULL)
        said = beside_schema(arena, schema_file);
    for (size_t i = 0; said == NULL && i < array_length(usual); i++) {
        if (is_directory(usual[i]))
            said = usual[i];
    }
    *out = said;
    if (said != NULL)
        return true;
    error_set(err, ERROR_USAGE,
              "there is no folder of migrations: neither prisma/migrations nor migrations exists");
    return error_hint(
        err,
        "Name it with --migrations DIR or TIDELOCK_MIGRATIONS; is it in the image (COPY prisma ./prisma)?");
}

/* d_type spares a stat for each of a thousand entries; some file systems don't fill it. */
static bool is_migration(const struct dirent *entry, const char *path)
{
    auto_text struct text full = text_init(PATH_MAX + NAME_MAX);
    struct stat status;
    unsigned char type = entry->d_type;

    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return false;
    if (type == DT_DIR)
        return true;
    if (type != DT_UNKNOWN && type != DT_LNK)
        return false;
    text_add_format(&full, "%s/%s", path, entry->d_name);
    if (type == DT_UNKNOWN && lstat(full.at, &status) == 0 && S_ISDIR(status.st_mode))
        return true;
    if (is_directory(full.at))
        log_warn(
            "%s is a symbolic link to a directory: Prisma does not take it for a migration, and neither does "
            "tidelock",
            full.at);
    return false;
}

/* The ledger holds text: valid UTF-8, at most so many characters; a control character would forge lines of
 * logs. */
static bool check_name(const char *name, const char *path, struct error *err)
{
    auto_text struct text shown = text_init(4 * NAME_MAX);
    size_t length = strlen(name);
    bool is_good = utf8_is_valid(name, length, NULL) && utf8_count(name, length) <= NAME_CHARACTERS_MOST;

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];

        is_good &= byte >= ' ' && byte != 0x7F;
        if (byte < ' ' || byte >= 0x7F)
            text_add_format(&shown, "\\x%02x", byte);
        else
            text_add(&shown, name + i, 1);
    }
    if (is_good)
        return true;
    error_set(err, ERROR_REFUSED, "the directory \"%s\" in %s can't be a migration's name", shown.at, path);
    return error_hint(err, "Rename it: UTF-8 without control characters, at most %d characters.",
                      NAME_CHARACTERS_MOST);
}

static int compare_items(const void *one, const void *other)
{
    return order_compare(((const struct migration *)one)->name, ((const struct migration *)other)->name);
}

static bool read_entries(struct arena *arena, DIR *directory, struct folder *out, struct error *err)
{
    auto_free struct migration *items = NULL;
    size_t capacity = 0;
    size_t count = 0;
    const struct dirent *entry;

    while ((errno = 0, entry = readdir(directory)) != NULL) {
        if (!is_migration(entry, out->path))
            continue;
        if (!check_name(entry->d_name, out->path, err))
            return false;
        items = memory_grow(items, count, &capacity, sizeof *items);
        items[count++].name = arena_copy(arena, entry->d_name, strlen(entry->d_name));
    }
    if (errno != 0)
        return error_set(err, ERROR_USAGE, "could not read folder \"%s\": %s", out->path, strerror(errno));
    out->items = arena_alloc(arena, count, sizeof *out->items);
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        const char *directory_path = join(arena, out->path, items[i].name);

        out->items[i] = (struct migration) { .name = items[i].name,
                                             .script_path = join(arena, directory_path, SCRIPT_NAME) };
    }
    qsort(out->items, count, sizeof *out->items, compare_items);
    return true;
}

bool folder_read(struct arena *arena, const char *path, struct folder *out, struct error *err)
{
    DIR *directory = opendir(path);
    bool is_read;

    *out = (struct folder) { .path = arena_copy(arena, path, strlen(path)) };
    if (directory == NULL) {
        error_set(err, ERROR_USAGE, "could not open the folder of migrations \"%s\": %s", path,
                  strerror(errno));
        return error_hint(
            err, "Name the folder with --migrations DIR or TIDELOCK_MIGRATIONS; is it in the image?");
    }
    is_read = read_entries(arena, directory, out, err);
    (void)closedir(directory);
    return is_read;
}

const struct migration *folder_find(const struct folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (strcmp(folder->items[i].name, name) == 0)
            return &folder->items[i];
    }
    return NULL;
}

#include "history/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "history/listing.h"

enum { LOCK_FILE_MOST = 1024 * 1024, ALIKE_MOST = 3 };

/* Without printf, since it is called for every migration at every start. */
static const char *script_path(struct arena *arena, const struct folder *folder, const char *name)
{
    const enum folder_layout layout = folder->dialect->layout;
    const char *script = folder->dialect->script_name;
    char *path = arena_alloc(arena, strlen(folder->path) + 1 + strlen(name) + 1 + strlen(script) + 1, 1);
    char *at = stpcpy(path, folder->path);

    *at++ = '/';
    at = stpcpy(at, name);
    if (layout == LAYOUT_DIRECTORIES)
        *at++ = '/';
    if (layout == LAYOUT_DIRECTORIES || layout == LAYOUT_INDEX)
        (void)stpcpy(at, script);
    return path;
}

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool folder_check(const struct dialect *dialect, const char *path, struct error *err)
{
    auto_text struct text file = text_init(2 * PATH_MAX);
    auto_text struct text bytes = text_init(LOCK_FILE_MOST);
    struct error unreadable;

    if (dialect->lock_file == NULL)
        return true;
    text_add_format(&file, "%s/%s", path, dialect->lock_file);
    if (!file_exists(file.at))
        return true;
    if (!file_read(file.at, &bytes, &unreadable)) {
        log_warn("could not check the provider of the migrations: %s", unreadable.message);
        return true;
    }
    return dialect->check_lock_file(dialect, file.at, text_slice(&bytes), err);
}

/* Whether two names first differ in digits, as timestamps do: then nothing after them matters. */
static bool differ_in_digits(const char *one, const char *other)
{
    while (*one == *other && *one != '\0') {
        one++;
        other++;
    }
    return *one >= '0' && *one <= '9' && *other >= '0' && *other <= '9';
}

static void warn_of_uncertain_order(const struct folder *folder)
{
    const struct dialect *dialect = folder->dialect;

    for (size_t i = 1; i < folder->count; i++) {
        const char *one = folder->items[i - 1].name;
        const char *other = folder->items[i].name;

        if (differ_in_digits(one, other) ||
            (dialect->is_order_certain(one) && dialect->is_order_certain(other)))
            continue;
        log_warn(
            "\"%s\" comes before \"%s\" here, but %s may sort these letters differently: begin the "
            "names with distinct timestamps or numbers",
            one, other, dialect->tool);
        return;
    }
}

/* Two scripts that the ledger could not tell apart. */
static bool refuse_alike(const struct folder *folder, const struct migration *last, const char *one,
                         const char *other, struct error *err)
{
    error_set(err, ERROR_USAGE, "\"%s\" and \"%s\" in %s have the same version, %s", one, other, folder->path,
              last->key);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Give one of them another version: to %s, both are one migration.",
                      folder->dialect->tool);
}

static int compare_by_key(const void *one, const void *other)
{
    const struct migration *a = *(const struct migration *const *)one;
    const struct migration *b = *(const struct migration *const *)other;
    int by_key = strcmp(a->key, b->key);

    return by_key != 0 ? by_key : (a > b) - (a < b);
}

/* Where names sort otherwise than keys, what is alike need not be side by side. */
static bool check_keys(struct arena *arena, const struct folder *folder, struct error *err)
{
    const struct migration **sorted;

    /* Names differ. */
    if (folder->count < 2 || (folder->dialect->key_of == NULL && folder->dialect->layout != LAYOUT_INDEX))
        return true;
    sorted = arena_alloc(arena, folder->count, sizeof *sorted);
    for (size_t i = 0; i < folder->count; i++)
        sorted[i] = &folder->items[i];
    qsort(sorted, folder->count, sizeof *sorted, compare_by_key);
    for (size_t i = 1; i < folder->count; i++) {
        const struct migration *one = sorted[i - 1];

        if (strcmp(one->key, sorted[i]->key) != 0)
            continue;
        return refuse_alike(folder, one, one->name, sorted[i]->name, err);
    }
    return true;
}

static const char *told(struct arena *arena, void (*tell)(const char *name, char out[KEY_SIZE]),
                        const char *name)
{
    char text[KEY_SIZE];

    tell(name, text);
    return arena_copy(arena, text, strlen(text));
}

static struct migration migration_of(struct arena *arena, const struct folder *folder,
                                     const struct listed *listed)
{
    const struct dialect *dialect = folder->dialect;
    struct migration migration = { .name = listed->order.name,
                                   .key = listed->order.name,
                                   .script_path = script_path(arena, folder, listed->order.name),
                                   .is_program = listed->is_program,
                                   .way_back = listed->is_way_back ? listed->order.name : NULL };

    if (listed->key != NULL)
        migration.key = listed->key;
    else if (dialect->key_of != NULL)
        migration.key = told(arena, dialect->key_of, migration.name);
    if (dialect->describe != NULL)
        migration.description = told(arena, dialect->describe, migration.name);
    return migration;
}

static bool is_way_back(const struct migration *migration)
{
    return migration->way_back != NULL && strcmp(migration->way_back, migration->name) == 0;
}

/* Adds it behind the one that was added last. Of one key, there is one migration and one way back; the latter
 * is one of the folder's only where it is alone. */
static bool add_migration(struct migration migration, struct folder *out, struct error *err)
{
    struct migration *last = &out->items[out->count == 0 ? 0 : out->count - 1];

    if (out->count > 0 && strcmp(last->key, migration.key) == 0) {
        if (is_way_back(&migration) && last->way_back != NULL)
            return refuse_alike(out, last, last->way_back, migration.name, err);
        if (is_way_back(&migration)) {
            last->way_back = migration.name;
            return true;
        }
        if (!is_way_back(last))
            return refuse_alike(out, last, last->name, migration.name, err);
        migration.way_back = last->way_back;
        out->count--;
    }
    migration.back = out->count == 0 ? NULL : out->items[out->count - 1].key;
    out->items[out->count++] = migration;
    return true;
}

static int compare_listed(const void *one, const void *other, void *folder)
{
    const struct listed *a = *(const struct listed *const *)one;
    const struct listed *b = *(const struct listed *const *)other;

    return ((const struct folder *)folder)->dialect->compare_keys(&a->order, &b->order);
}

static bool read_entries(const struct directory *directory, struct folder *out, struct error *err)
{
    struct arena *arena = directory->arena;
    auto_free struct listed *listed = NULL;
    auto_free const struct listed **sorted = NULL;
    size_t count;

    if (!listing_read(directory, out, &listed, &count, err))
        return false;
    out->items = arena_alloc(arena, count, sizeof *out->items);
    sorted = memory_new(count, sizeof *sorted);
    for (size_t i = 0; listed != NULL && i < count; i++)
        sorted[i] = &listed[i];
    if (count > 1 && out->dialect->layout != LAYOUT_INDEX)
        qsort_r(sorted, count, sizeof *sorted, compare_listed, out);
    for (size_t i = 0; i < count; i++) {
        if (!add_migration(migration_of(arena, out, sorted[i]), out, err))
            return false;
    }
    warn_of_uncertain_order(out);
    return check_keys(arena, out, err);
}

/* A ConfigMap is mounted as symbolic links into "..data", itself a link to the directory that holds the
 * files; an update replaces that one link (kubelet's atomic writer). Only the directory that it points to is
 * a folder as the tool writes it. */
static struct directory behind_mount(const struct directory *mount)
{
    const char *data = directory_join(mount->arena, mount->path, "..data");

    return is_directory(data) ? (struct directory) { .arena = mount->arena, .path = data } : *mount;
}

bool folder_read(const struct dialect *dialect, const struct directory *said, struct folder *out,
                 struct error *err)
{
    struct directory directory = behind_mount(said);

    *out = (struct folder) { .dialect = dialect,
                             .path = directory.path,
                             .session = arena_alloc(said->arena, 1, sizeof *out->session) };
    if (directory_read(&directory))
        return read_entries(&directory, out, err);
    error_set(err, ERROR_USAGE, "could not open the folder of migrations \"%s\": %s", said->path,
              strerror(errno));
    return error_hint(
        err,
        "Name the folder with --migrations DIR or TIDELOCK_MIGRATIONS, and check that it is in the image.");
}

const struct migration *folder_find(const struct folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (strcmp(folder->items[i].name, name) == 0)
            return &folder->items[i];
    }
    return NULL;
}

const struct migration *folder_find_typed(const struct folder *folder, const char *name)
{
    const struct migration *migration = folder_find(folder, name);

    for (size_t i = 0; i < folder->count && migration == NULL; i++) {
        if (strcmp(folder->items[i].key, name) == 0)
            migration = &folder->items[i];
    }
    return migration;
}

static const char *nearest_name(const struct folder *folder, const char *name)
{
    auto_free const char **names = memory_new(folder->count, sizeof *names);

    for (size_t i = 0; i < folder->count; i++)
        names[i] = folder->items[i].name;
    return names_nearest(names, folder->count, name);
}

/* Those that `name` is a part of, as a time stamp is; else the one that is the most like it. */
static void add_alike(const struct folder *folder, const char *name, struct text *out)
{
    const char *nearest;
    size_t found = 0;

    for (size_t i = 0; i < folder->count && found < ALIKE_MOST; i++) {
        if (strstr(folder->items[i].name, name) != NULL)
            text_add_format(out, "%s%s", found++ == 0 ? "" : ", ", folder->items[i].name);
    }
    nearest = found > 0 ? NULL : nearest_name(folder, name);
    if (nearest != NULL)
        text_add_string(out, nearest);
}

static const struct migration *refuse_unknown(const struct folder *folder, const char *name,
                                              struct error *err)
{
    static const char what[] =
        "Name a migration of that folder, without a path, or use the image that has it.";
    auto_text struct text alike = text_init(sizeof err->hint / 2);

    add_alike(folder, name, &alike);
    error_set(err, ERROR_USAGE, "could not find migration \"%s\" in %s", name, folder->path);
    error_code(err, folder->dialect->codes.unknown_name);
    error_holds(err, "Nothing was changed.");
    if (alike.length > 0)
        error_hint(err, "%s Did you mean: %s?", what, alike.at);
    else if (folder->count > 0)
        error_hint(err, "%s The last one is %s.", what, folder->items[folder->count - 1].name);
    else
        error_hint(err, "%s It holds no migration.", what);
    return NULL;
}

const struct migration *folder_expect(const struct folder *folder, const char *name, struct error *err)
{
    const struct migration *migration = folder_find_typed(folder, name);

    return migration != NULL ? migration : refuse_unknown(folder, name, err);
}

bool folder_limit(struct folder *folder, const char *last, struct error *err)
{
    const struct migration *migration = folder_expect(folder, last, err);

    if (migration == NULL)
        return false;
    folder->beyond = folder->count - 1 - (size_t)(migration - folder->items);
    return true;
}

const char *folder_limit_name(const struct folder *folder)
{
    return folder->beyond == 0 ? NULL : folder->items[folder->count - folder->beyond - 1].name;
}

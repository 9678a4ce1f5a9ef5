#include "history/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "base/text.h"

enum { LOCK_FILE_MOST = 1024 * 1024, ALIKE_MOST = 3 };

static const char *join(struct arena *arena, const char *directory, const char *name)
{
    auto_text struct text path = text_init(PATH_MAX + NAME_MAX);

    text_add_format(&path, "%s/%s", directory, name);
    return arena_copy(arena, path.at, path.length);
}

/* Without printf, since it is called for every migration at every start. */
static const char *script_path(struct arena *arena, const struct folder *folder, const char *name)
{
    const char *script = folder->dialect->script_name;
    char *path = arena_alloc(arena, strlen(folder->path) + 1 + strlen(name) + 1 + strlen(script) + 1, 1);
    char *at = stpcpy(path, folder->path);

    *at++ = '/';
    at = stpcpy(at, name);
    *at++ = '/';
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

    text_add_format(&file, "%s/%s", path, dialect->lock_file);
    if (!file_exists(file.at))
        return true;
    if (!file_read(file.at, &bytes, &unreadable)) {
        log_warn("could not check the provider of the migrations: %s", unreadable.message);
        return true;
    }
    return dialect->check_lock_file(file.at, text_slice(&bytes), err);
}

/* d_type saves a stat per entry; some file systems do not fill it. An entry that cannot be examined must not
 * count as "not a migration". */
static bool find_type(const struct dirent *entry, const char *full, unsigned char *type, struct error *err)
{
    struct stat status;

    *type = entry->d_type;
    if (*type != DT_UNKNOWN)
        return true;
    if (lstat(full, &status) != 0)
        return error_set(err, ERROR_USAGE, "could not examine \"%s\": %s", full, strerror(errno));
    *type = (unsigned char)IFTODT(status.st_mode);
    return true;
}

static bool is_itself_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_migration(const struct folder *folder, const char *entry, unsigned char type)
{
    return folder->dialect->is_migration(entry, type == DT_DIR) && !is_itself_or_parent(entry);
}

static bool find_migration(struct arena *arena, const struct dirent *entry, const struct folder *folder,
                           bool *is_one, struct error *err)
{
    unsigned char type = entry->d_type;
    const char *full;

    *is_one = is_migration(folder, entry->d_name, type);
    if (type != DT_UNKNOWN && type != DT_LNK)
        return true;
    full = join(arena, folder->path, entry->d_name);
    if (!find_type(entry, full, &type, err))
        return false;
    *is_one = is_migration(folder, entry->d_name, type);
    if (type == DT_LNK && is_directory(full))
        log_warn("\"%s\" is a symbolic link to a directory: %s ignores it, and so does tidelock", full,
                 folder->dialect->tool);
    return true;
}

/* Of ASCII, DEL and the C1 block (two bytes in UTF-8, the first 0xC2). */
static bool is_control(const char *at)
{
    unsigned char byte = (unsigned char)at[0];

    return byte < ' ' || byte == 0x7F || (byte == 0xC2 && ((unsigned char)at[1] & 0xE0) == 0x80);
}

/* The name in ASCII, other bytes as \xNN. */
static void escape(const char *name, struct text *out)
{
    for (; *name != '\0'; name++) {
        if (*name >= ' ' && *name < 0x7F)
            text_add(out, name, 1);
        else
            text_add_format(out, "\\x%02x", (unsigned char)*name);
    }
}

/* The ledger stores names as text: valid UTF-8, at most so many characters; control characters could forge
 * log lines. */
static bool is_good_name(const char *name, size_t most)
{
    size_t length = 0;

    while (name[length] >= ' ' && name[length] < 0x7F)
        length++;
    if (name[length] == '\0')
        return length <= most;
    for (const char *at = name; *at != '\0'; at++) {
        if (is_control(at))
            return false;
    }
    length = strlen(name);
    return utf8_is_valid(name, length, NULL) && utf8_count(name, length) <= most;
}

static bool refuse_name(const char *name, const struct folder *folder, struct error *err)
{
    auto_text struct text shown = text_init((size_t)4 * NAME_MAX);

    escape(name, &shown);
    error_set(err, ERROR_REFUSED, "the directory \"%s\" in %s is not a valid migration name", shown.at,
              folder->path);
    return error_hint(err, "Rename it: use at most %zu characters of UTF-8, without control characters.",
                      folder->dialect->name_most);
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

/* All names into `*names`, which grows; the caller frees it. */
static bool read_names(struct arena *arena, DIR *directory, struct folder *out, struct order_key **names,
                       struct error *err)
{
    size_t capacity = 0;
    const struct dirent *entry;

    while ((errno = 0, entry = readdir(directory)) != NULL) {
        bool is_one;

        if (!find_migration(arena, entry, out, &is_one, err))
            return false;
        if (!is_one)
            continue;
        if (!is_good_name(entry->d_name, out->dialect->name_most))
            return refuse_name(entry->d_name, out, err);
        *names = memory_grow(*names, out->count, &capacity, sizeof **names);
        (*names)[out->count++] =
            out->dialect->order_key_of(arena_copy(arena, entry->d_name, strlen(entry->d_name)));
    }
    if (errno != 0)
        return error_set(err, ERROR_USAGE, "could not read folder \"%s\": %s", out->path, strerror(errno));
    return true;
}

static bool read_entries(struct arena *arena, DIR *directory, struct folder *out, struct error *err)
{
    auto_free struct order_key *names = NULL;

    if (!read_names(arena, directory, out, &names, err))
        return false;
    out->items = arena_alloc(arena, out->count, sizeof *out->items);
    if (names != NULL)
        qsort(names, out->count, sizeof *names, out->dialect->compare_keys);
    for (size_t i = 0; names != NULL && i < out->count; i++)
        out->items[i] = (struct migration) { .name = names[i].name,
                                             .script_path = script_path(arena, out, names[i].name) };
    warn_of_uncertain_order(out);
    return true;
}

/* A ConfigMap is mounted as symbolic links into "..data", itself a link to the directory that holds the
 * files; an update replaces that one link (kubelet's atomic writer). Only the directory that it points to is
 * a folder as the tool writes it. */
static const char *behind_mount(struct arena *arena, const char *path)
{
    const char *data = join(arena, path, "..data");

    return is_directory(data) ? data : arena_copy(arena, path, strlen(path));
}

bool folder_read(struct arena *arena, const struct dialect *dialect, const char *path, struct folder *out,
                 struct error *err)
{
    DIR *directory;
    bool is_read;

    *out = (struct folder) { .dialect = dialect, .path = behind_mount(arena, path) };
    directory = opendir(out->path);
    if (directory == NULL) {
        error_set(err, ERROR_USAGE, "could not open the folder of migrations \"%s\": %s", path,
                  strerror(errno));
        return error_hint(
            err,
            "Name the folder with --migrations DIR or TIDELOCK_MIGRATIONS, and check that it is in the "
            "image.");
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
        "Name a directory in that folder, without a path, or use the image that has it.";
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
    const struct migration *migration = folder_find(folder, name);

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

#include "history/listing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

enum { INDEX_MOST = 16 * 1024 * 1024, DEPTH_MOST = 32 };

/* A folder being listed. */
struct listing {
    struct arena *arena;
    const struct folder *folder;
    struct listed *items;
    size_t count;
    size_t capacity;
    unsigned depth;           /* directories above the one at hand */
    const char *passed_over;  /* the first, by its name, of the scripts that are no migrations, or NULL … */
    size_t passed_over_count; /* … and how many there are */
};

static bool leads_to_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
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

static bool refuse_name(const struct folder *folder, const char *name, struct error *err)
{
    auto_text struct text shown = text_init((size_t)4 * PATH_MAX);

    escape(name, &shown);
    error_set(err, ERROR_REFUSED, "the %s \"%s\" in %s is not a valid migration name",
              folder->dialect->layout == LAYOUT_DIRECTORIES ? "directory" : "file", shown.at, folder->path);
    return error_hint(err, "Rename it: use at most %zu characters of UTF-8, without control characters.",
                      folder->dialect->name_most);
}

/* What an entry is to the dialect. */
struct judged {
    enum entry_kind kind;
    bool is_directory;
};

/* d_type saves a stat per entry; some file systems do not fill it. An entry that cannot be examined must not
 * count as "not a migration". What is no directory may be a symbolic link: a ConfigMap's files are. */
static bool judge(const struct listing *listing, const char *directory, const struct directory_entry *entry,
                  struct judged *out, struct error *err)
{
    const struct dialect *dialect = listing->folder->dialect;
    unsigned char type = entry->type;
    struct stat status;
    const char *full;

    if (type == DT_UNKNOWN || type == DT_LNK) {
        full = directory_join(listing->arena, directory, entry->name);
        if (type == DT_UNKNOWN && lstat(full, &status) != 0)
            return error_set(err, ERROR_USAGE, "could not examine \"%s\": %s", full, strerror(errno));
        type = type == DT_UNKNOWN ? (unsigned char)IFTODT(status.st_mode) : type;
        if (type == DT_LNK && leads_to_directory(full)) {
            if (dialect->layout == LAYOUT_DIRECTORIES)
                log_warn("\"%s\" is a symbolic link to a directory: %s ignores it, and so does tidelock",
                         full, dialect->tool);
            else
                type = DT_DIR;
        }
    }
    out->is_directory = type == DT_DIR;
    out->kind = dialect->entry_kind_of(entry->name, out->is_directory);
    return true;
}

static bool refuse_forbidden(const struct folder *folder, const char *name, struct error *err)
{
    error_set(err, ERROR_REFUSED, "\"%s\" in %s %s, which only %s can run", name, folder->path,
              folder->dialect->forbidden_is, folder->dialect->tool);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Move what it does into migrations, or let %s apply this folder.",
                      folder->dialect->tool);
}

static bool refuse_misnamed(const struct folder *folder, const char *name, struct error *err)
{
    error_set(err, ERROR_REFUSED, "\"%s\" in %s %s: %s refuses the folder", name, folder->path,
              folder->dialect->misnamed_is, folder->dialect->tool);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "%s: rename it, or move it elsewhere.", folder->dialect->script_rule);
}

/* `key` is what an index says, or NULL. */
static bool add(struct listing *listing, const char *name, const char *key, enum entry_kind kind,
                struct error *err)
{
    const struct folder *folder = listing->folder;

    if (kind == ENTRY_FORBIDDEN)
        return refuse_forbidden(folder, name, err);
    if (!is_good_name(name, folder->dialect->name_most))
        return refuse_name(folder, name, err);
    if (kind == ENTRY_MISNAMED)
        return refuse_misnamed(folder, name, err);
    listing->items = memory_grow(listing->items, listing->count, &listing->capacity, sizeof *listing->items);
    listing->items[listing->count++] = (struct listed) { .order = folder->dialect->order_key_of(name),
                                                         .key = key,
                                                         .is_program = kind == ENTRY_PROGRAM,
                                                         .is_way_back = kind == ENTRY_WAY_BACK };
    return true;
}

static bool is_inverse(const struct dialect *dialect, const char *name)
{
    return dialect->inverse != NULL && dialect->inverse[0] != '\0' && text_ends_with(name, dialect->inverse);
}

/* The tools keep silent about them. A directory of each migration may have others beside its script. */
static void pass_over(struct listing *listing, const char *name)
{
    const struct dialect *dialect = listing->folder->dialect;
    const size_t length = strlen(name);

    if (dialect->layout == LAYOUT_DIRECTORIES || length <= strlen(".sql") || name[0] == '.' ||
        !text_ends_with(name, ".sql") || is_inverse(dialect, name))
        return;
    if (listing->passed_over == NULL || strcmp(name, listing->passed_over) < 0)
        listing->passed_over = arena_copy(listing->arena, name, length);
    listing->passed_over_count++;
}

static void warn_of_passed_over(const struct listing *listing)
{
    auto_text struct text others = text_init(64);

    if (listing->passed_over == NULL)
        return;
    if (listing->passed_over_count > 1)
        text_add_format(&others, " and %zu more", listing->passed_over_count - 1);
    log_warn("%s%s in %s %s never applied, by %s. %s", listing->passed_over, others.at, listing->folder->path,
             listing->passed_over_count == 1 ? "is" : "are",
             listing->passed_over_count == 1 ? "its name" : "their names",
             listing->folder->dialect->script_rule);
}

static bool read_below(struct listing *listing, const char *below, struct error *err);

/* `below` is the path of the directory at hand from the folder, "" for itself. */
static bool read_entry(struct listing *listing, const char *directory, const char *below,
                       const struct directory_entry *entry, struct error *err)
{
    struct judged judged = { .kind = ENTRY_OTHER };
    const char *name = entry->name;

    if (!judge(listing, directory, entry, &judged, err))
        return false;
    if (below[0] != '\0')
        name = directory_join(listing->arena, below, name);
    if (judged.kind != ENTRY_OTHER)
        return add(listing, name, NULL, judged.kind, err);
    if (!judged.is_directory)
        pass_over(listing, name);
    if (!judged.is_directory || listing->folder->dialect->layout != LAYOUT_TREE || entry->name[0] == '.')
        return true;
    return read_below(listing, name, err);
}

static bool read_directory(struct listing *listing, const struct directory *directory, const char *below,
                           struct error *err)
{
    for (size_t i = 0; i < directory->count; i++) {
        if (!read_entry(listing, directory->path, below, &directory->items[i], err))
            return false;
    }
    return true;
}

static bool read_below(struct listing *listing, const char *below, struct error *err)
{
    struct directory directory = { .arena = listing->arena,
                                   .path = directory_join(listing->arena, listing->folder->path, below) };
    bool is_read;

    if (listing->depth == DEPTH_MOST || !directory_read(&directory))
        return error_set(err, ERROR_USAGE, "could not open the folder \"%s\": %s", directory.path,
                         listing->depth == DEPTH_MOST ? "too many directories in each other"
                                                      : strerror(errno));
    listing->depth++;
    is_read = read_directory(listing, &directory, below, err);
    listing->depth--;
    return is_read;
}

static bool read_index(struct listing *listing, struct error *err)
{
    const struct dialect *dialect = listing->folder->dialect;
    const char *path = directory_join(listing->arena, listing->folder->path, dialect->index);
    auto_text struct text bytes = text_init(INDEX_MOST);
    struct index found = { .count = 0 };

    if (!file_read(path, &bytes, err)) {
        err->class = ERROR_USAGE;
        return error_hint(err, "It says which migrations there are: copy it into the image, too.");
    }
    if (!dialect->read_index(listing->arena, path, text_slice(&bytes), &found, err))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        if (!add(listing, found.items[i].name, found.items[i].key, ENTRY_MIGRATION, err))
            return false;
    }
    return true;
}

bool listing_read(const struct directory *directory, const struct folder *folder, struct listed **out,
                  size_t *count, struct error *err)
{
    struct listing listing = { .arena = directory->arena, .folder = folder };
    bool is_read = folder->dialect->layout == LAYOUT_INDEX ? read_index(&listing, err)
                                                           : read_directory(&listing, directory, "", err);

    warn_of_passed_over(&listing);
    *out = listing.items;
    *count = listing.count;
    return is_read;
}

#include "history/layout.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "dialect/foreign.h"
#include "history/recognise.h"

/* Enough of a script to see its first comments. */
enum { SCRIPT_MOST = 1024 * 1024 };

/* What lies where migrations should be. */
struct found {
    size_t scripts;            /* files named *.sql */
    size_t programs;           /* files of a language that other tools write migrations in */
    size_t others;             /* anything else, hidden or not */
    char script[NAME_MAX + 1]; /* the first of each, by name */
    char program[NAME_MAX + 1];
    char other[NAME_MAX + 1];
};

/* A name that is nothing else is a hidden file. */
static bool has_extension(const char *name, const char *extension)
{
    return text_ends_with(name, extension) && strcmp(name, extension) != 0;
}

static void count(const char *name, size_t *number, char *first)
{
    if ((*number)++ == 0 || strcmp(name, first) < 0)
        (void)snprintf(first, NAME_MAX + 1, "%s", name);
}

static void look(const char *path, struct found *out)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;

    *out = (struct found) { .scripts = 0 };
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (has_extension(name, ".sql"))
            count(name, &out->scripts, out->script);
        else if (foreign_is_program(name))
            count(name, &out->programs, out->program);
        else
            count(name, &out->others, out->other);
    }
    if (directory != NULL)
        (void)closedir(directory);
}

static bool has_a_script(const struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (access(folder->items[i].script_path, F_OK) == 0)
            return true;
    }
    return false;
}

static bool refuse_empty(const struct folder *folder, const char *said, const struct found *found,
                         struct error *err)
{
    error_set(err, ERROR_USAGE, "the folder of migrations \"%s\" holds no migrations", said);
    if (found->others == 1)
        error_detail(err, "All it holds is \"%s\".", found->other);
    return error_hint(err,
                      "Check what the image copies (%s), or name another folder with --migrations DIR or "
                      "TIDELOCK_MIGRATIONS.",
                      folder->dialect->copy);
}

static bool refuse_migration(const struct folder *folder, const char *said, struct error *err)
{
    error_set(err, ERROR_USAGE, "\"%s\" is not a folder of migrations, but a single one: it holds %s", said,
              folder->dialect->script_name);
    return error_hint(err, "Name the folder above it with --migrations DIR or TIDELOCK_MIGRATIONS.");
}

static void read_first(const struct folder *folder, const char *name, struct text *out)
{
    auto_text struct text path = text_init(PATH_MAX + NAME_MAX);
    struct error ignored;

    text_add_format(&path, "%s/%s", folder->path, name);
    if (!file_read(path.at, out, &ignored))
        text_reset(out);
}

#define ANOTHER_FOLDER "name another folder with --migrations DIR or TIDELOCK_MIGRATIONS."

static bool refuse_scripts(const struct folder *folder, const char *said, const struct found *found,
                           struct error *err)
{
    auto_text struct text script = text_init(SCRIPT_MOST);
    auto_text struct text remedy = text_init(sizeof err->hint);
    const struct foreign_tool *tool;

    read_first(folder, found->script, &script);
    tool = foreign_tool_of(found->script, text_slice(&script));
    error_set(err, ERROR_USAGE, "\"%s\" holds no migrations of %s, but %zu .sql file%s", said,
              folder->dialect->tool, found->scripts, text_plural(found->scripts));
    if (tool == NULL) {
        error_detail(err, "No tool that is known calls its scripts like \"%s\".", found->script);
        return error_hint(err, "%s. Say whose the folder is with --format, or " ANOTHER_FOLDER,
                          folder->dialect->script_rule);
    }
    error_detail(err, "\"%s\" looks like a script of %s.", found->script, tool->name);
    foreign_add_remedy(tool, &remedy);
    return error_hint(err, "%s Or " ANOTHER_FOLDER, remedy.at);
}

static bool refuse_programs(const struct folder *folder, const char *said, const struct found *found,
                            struct error *err)
{
    auto_text struct text program = text_init(SCRIPT_MOST);
    auto_text struct text remedy = text_init(sizeof err->hint);
    const struct foreign_tool *tool;

    read_first(folder, found->program, &program);
    tool = foreign_program_of(found->program, text_slice(&program));
    error_set(err, ERROR_USAGE, "\"%s\" holds no migrations, but %zu file%s like \"%s\"", said,
              found->programs, text_plural(found->programs), found->program);
    if (tool == NULL)
        return error_hint(err,
                          "Only SQL can be applied here. Let the tool that they belong to apply them, "
                          "or " ANOTHER_FOLDER);
    error_detail(err, "It looks like a migration of %s.", tool->name);
    foreign_add_remedy(tool, &remedy);
    return error_hint(err, "%s Or " ANOTHER_FOLDER, remedy.at);
}

/* It is of a tool, but not of the one that --format names. */
static bool refuse_format(const struct folder *folder, const char *said, const struct recognised *found,
                          struct error *err)
{
    error_set(err, ERROR_USAGE, "\"%s\" holds no migrations of %s, but looks like a folder of %s", said,
              folder->dialect->tool, found->dialects[0]->tool);
    return error_hint(err, "If it is one: --format %s, or --format auto. Or " ANOTHER_FOLDER,
                      FORMAT_NAMES[found->dialects[0]->format]);
}

/* A folder of migrations that is said a level or two too high, as "prisma" for "prisma/migrations": the path
 * of the one below, or NULL. */
static const char *find_below(struct directory *above, struct recognised *out)
{
    static const char usual[] = "migrations";
    const char *found = NULL;

    (void)directory_read(above);
    for (size_t i = 0; i < above->count; i++) {
        const char *name = above->items[i].name;
        struct directory below = { .arena = above->arena,
                                   .path = directory_join(above->arena, above->path, name) };
        struct recognised likely;

        if (name[0] == '.' || (found != NULL && strcmp(name, usual) != 0))
            continue;
        recognise(FORMAT_AUTO, &below, &likely);
        if (!likely.fits) {
            below = (struct directory) { .arena = above->arena,
                                         .path = directory_join(above->arena, below.path, usual) };
            recognise(FORMAT_AUTO, &below, &likely);
        }
        if (!likely.fits)
            continue;
        found = below.path;
        *out = likely;
    }
    return found;
}

static bool refuse_above(const char *said, const char *below, const struct recognised *found,
                         struct error *err)
{
    error_set(err, ERROR_USAGE, "the folder of migrations \"%s\" holds none itself, but \"%s\" does", said,
              below);
    if (found->dialects[0]->layout == LAYOUT_TREE)
        return error_hint(err, "If that one is meant: --migrations %s. If all below \"%s\" are: --format %s.",
                          below, said, FORMAT_NAMES[found->dialects[0]->format]);
    return error_hint(err, "If that one is meant: --migrations %s, or TIDELOCK_MIGRATIONS.", below);
}

bool layout_refuse_owner(const struct foreign_tool *owner, const char *said, struct error *err)
{
    if (owner->own_file != NULL)
        error_set(err, ERROR_USAGE, "the folder of migrations \"%s\" is one of %s: it holds %s", said,
                  owner->name, owner->own_file);
    else
        error_set(err, ERROR_USAGE, "the folder of migrations \"%s\" is one of %s: it lies in a folder %s",
                  said, owner->name, owner->own_folder);
    error_holds(err, "Nothing was changed.");
    return error_hint(err,
                      "Only %s can apply its own migrations: %s. If the folder is another tool's all the "
                      "same, say whose with --format.",
                      owner->name, owner->command);
}

bool layout_check(const struct folder *folder, const char *said, bool may_be_empty, struct error *err)
{
    auto_arena struct arena *arena = arena_new();
    struct directory directory = { .arena = arena, .path = folder->path };
    struct directory above = { .arena = arena, .path = said };
    struct recognised likely;
    struct recognised deeper;
    const char *below;
    struct found found;

    if (has_a_script(folder))
        return true;
    look(folder->path, &found);
    recognise(FORMAT_AUTO, &directory, &likely);
    if (found.scripts == 1 && strcmp(found.script, folder->dialect->script_name) == 0)
        (void)refuse_migration(folder, said, err);
    else if (likely.fits && likely.dialects[0]->format != folder->dialect->format)
        (void)refuse_format(folder, said, &likely, err);
    else if ((below = find_below(&above, &deeper)) != NULL)
        (void)refuse_above(said, below, &deeper, err);
    else if (found.scripts > 0)
        (void)refuse_scripts(folder, said, &found, err);
    else if (found.programs > 0)
        (void)refuse_programs(folder, said, &found, err);
    else if (may_be_empty || folder->count > 0)
        return true;
    else
        (void)refuse_empty(folder, said, &found, err);
    return error_holds(err, "Nothing was changed.");
}

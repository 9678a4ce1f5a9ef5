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

static bool is_program(const char *name)
{
    static const char *const ends[] = { ".ts", ".js", ".mjs", ".cjs",  ".py",
                                        ".rb", ".go", ".php", ".java", ".xml" };

    for (size_t i = 0; i < array_length(ends); i++) {
        if (has_extension(name, ends[i]))
            return true;
    }
    return false;
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
        else if (is_program(name))
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

static bool refuse_scripts(const struct folder *folder, const char *said, const struct found *found,
                           struct error *err)
{
    auto_text struct text path = text_init(PATH_MAX + NAME_MAX);
    auto_text struct text script = text_init(SCRIPT_MOST);
    const char *tool;
    struct error ignored;

    text_add_format(&path, "%s/%s", folder->path, found->script);
    if (!file_read(path.at, &script, &ignored))
        text_reset(&script);
    tool = foreign_tool_of(found->script, text_slice(&script));
    error_set(err, ERROR_USAGE,
              "\"%s\" holds no migrations, but %zu .sql file%s: each migration is a directory with a %s",
              said, found->scripts, text_plural(found->scripts), folder->dialect->script_name);
    if (tool != NULL)
        error_detail(err, "\"%s\" looks like a script of %s.", found->script, tool);
    return error_hint(
        err,
        "Put each script, without its way back, into a directory of its own: %s/NAME/%s. Or name "
        "another folder with --migrations DIR or TIDELOCK_MIGRATIONS.",
        said, folder->dialect->script_name);
}

static bool refuse_programs(const char *said, const struct found *found, struct error *err)
{
    error_set(err, ERROR_USAGE, "\"%s\" holds no migrations, but %zu file%s like \"%s\"", said,
              found->programs, text_plural(found->programs), found->program);
    return error_hint(err,
                      "Only SQL can be applied here. Let the tool that they belong to apply them, or name "
                      "another folder with --migrations DIR or TIDELOCK_MIGRATIONS.");
}

bool layout_check(const struct folder *folder, const char *said, bool may_be_empty, struct error *err)
{
    struct found found;

    if (has_a_script(folder))
        return true;
    look(folder->path, &found);
    if (found.scripts == 0 && found.programs == 0 && (may_be_empty || folder->count > 0))
        return true;
    if (found.scripts == 1 && strcmp(found.script, folder->dialect->script_name) == 0)
        (void)refuse_migration(folder, said, err);
    else if (found.scripts > 0)
        (void)refuse_scripts(folder, said, &found, err);
    else if (found.programs > 0)
        (void)refuse_programs(said, &found, err);
    else
        (void)refuse_empty(folder, said, &found, err);
    return error_holds(err, "Nothing was changed.");
}

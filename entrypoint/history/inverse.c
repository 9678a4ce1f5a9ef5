#include "history/inverse.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum { PATH_MOST = 8192 };

bool inverse_check(const struct dialect *dialect, struct error *err)
{
    if (dialect->inverse != NULL)
        return true;
    error_set(err, ERROR_REFUSED, "folders of %s hold nothing that undoes a migration", dialect->tool);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Go forward: write a migration that undoes it.");
}

/* Where it has to be. */
static void add_path(const struct dialect *dialect, const struct migration *migration, struct text *out)
{
    const char *path = migration->script_path;
    const char *end = strrchr(path, '/');
    size_t length = strlen(path);

    if (dialect->layout == LAYOUT_DIRECTORIES) {
        text_add(out, path, end == NULL ? 0 : (size_t)(end - path) + 1);
        text_add_string(out, dialect->inverse);
    } else if (dialect->script_ending != NULL && text_ends_with(path, dialect->script_ending)) {
        text_add(out, path, length - strlen(dialect->script_ending));
        text_add_string(out, dialect->inverse);
    } else {
        text_add_string(out, path);
    }
}

bool inverse_refuse(const struct migration *inverse, struct error *err)
{
    error_set(err, ERROR_REFUSED, "migration \"%s\" has no inverse: %s %s", inverse->name,
              inverse->script_path,
              file_exists(inverse->script_path) ? "has no statement that undoes it" : "does not exist");
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Write it, or go forward: write a migration that undoes this one.");
}

bool inverse_of(struct arena *arena, const struct dialect *dialect, const struct migration *migration,
                struct migration *out, struct error *err)
{
    auto_text struct text path = text_init(PATH_MOST);
    bool is_itself;

    add_path(dialect, migration, &path);
    is_itself = strcmp(path.at, migration->script_path) == 0;
    *out = *migration;
    out->is_inverse = true;
    out->script_path = arena_copy(arena, path.at, path.length);
    /* Of a tool with files of their own for it, one that has no such ending has none. */
    if (file_exists(out->script_path) && !(is_itself && dialect->inverse[0] != '\0'))
        return true;
    return inverse_refuse(out, err);
}

#include "history/script_file.h"

#include <string.h>

#include "base/file.h"
#include "dialect/foreign.h"

bool migration_read(const struct dialect *dialect, const struct migration *migration, struct text *out,
                    struct error *err)
{
    if (file_read(migration->script_path, out, err))
        return true;
    err->class = ERROR_REFUSED;
    if (out->has_overflowed)
        return error_hint(err, "A server accepts at most 1 GiB in one message: split the migration in two.");
    error_code(err, dialect->codes.script_missing);
    error_cause(err, CAUSE_NO_SCRIPT);
    return error_hint(err, "%s: restore the file, or remove the directory if it is not a migration.",
                      dialect->script_rule);
}

/* The scripts of another tool, moved here as they are, would be undone at once. */
static bool check_way_back(const char *path, struct slice script, struct error *err)
{
    const char *tool;
    size_t offset;

    if (!foreign_find_way_back(script, &tool, &offset))
        return true;
    error_set(err, ERROR_CLEAN, "the script goes back again: to %s, what follows undoes the migration", tool);
    error_hint(err,
               "Remove it from here on: to PostgreSQL this line is a comment, and all of it would be run.");
    return error_point(err, path, script.at, script.length, offset);
}

bool script_check_text(const char *path, struct slice script, struct error *err)
{
    const char *nul = script.length == 0 ? NULL : memchr(script.at, '\0', script.length);
    size_t bad;

    if (nul != NULL) {
        error_set(err, ERROR_CLEAN, "the script contains a NUL byte");
        error_point(err, path, script.at, script.length, (size_t)(nul - script.at));
        return error_hint(err, "It may be UTF-16: save it as UTF-8.");
    }
    if (utf8_is_valid(script.at, script.length, &bad))
        return check_way_back(path, script, err);
    error_set(err, ERROR_CLEAN, "the script is not valid UTF-8 (byte 0x%02x at offset %zu)",
              (unsigned char)script.at[bad], bad);
    error_point(err, path, script.at, script.length, bad);
    /* The line contains that byte: printing it would break the terminal's UTF-8. */
    err->place.source[0] = '\0';
    return error_hint(
        err, "Save it as UTF-8. (Prisma silently replaces such bytes by U+FFFD and applies the result.)");
}

#include "history/script_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/redact.h"
#include "dialect/foreign.h"
#include "sql/unwrap.h"

enum { SETTINGS_MOST = 64 * 1024 };

static bool refuse_program(const struct dialect *dialect, const struct migration *migration,
                           struct error *err)
{
    error_set(err, ERROR_REFUSED, "\"%s\" %s: only %s can run it", migration->name, dialect->program_is,
              dialect->tool);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Let %s apply it first, or write it in SQL.", dialect->tool);
}

bool migration_read(const struct dialect *dialect, const struct migration *migration, struct text *out,
                    struct error *err)
{
    if (migration->is_program)
        return refuse_program(dialect, migration, err);
    if (file_read(migration->script_path, out, err))
        return true;
    err->class = ERROR_REFUSED;
    if (out->has_overflowed)
        return error_hint(err, "A server accepts at most 1 GiB in one message: split the migration in two.");
    error_code(err, dialect->codes.script_missing);
    error_cause(err, CAUSE_NO_SCRIPT);
    return error_hint(
        err, "%s: restore the file%s.", dialect->script_rule,
        dialect->layout == LAYOUT_DIRECTORIES ? ", or remove the directory if it is not a migration" : "");
}

/* What is called a secret is one in the log, too. */
static const char *variable(const char *name)
{
    static const char *const words[] = { "PASSWORD", "PASSWD", "SECRET", "TOKEN" };
    const char *value = getenv(name);

    for (size_t i = 0; value != NULL && i < array_length(words); i++) {
        if (strcasestr(name, words[i]) != NULL)
            redact_register(value, strlen(value));
    }
    return value;
}

/* Of a file beside the script; what is not there is empty. */
static bool read_settings(const struct dialect *dialect, const struct migration *migration, struct text *out,
                          struct error *err)
{
    auto_text struct text path = text_init(2 * PATH_MAX);

    if (dialect->settings_suffix == NULL)
        return true;
    text_add_format(&path, "%s%s", migration->script_path, dialect->settings_suffix);
    if (!file_exists(path.at) || file_read(path.at, out, err))
        return true;
    err->class = ERROR_REFUSED;
    return false;
}

static bool read_as_tool(const struct folder *folder, const struct migration *migration, struct text *script,
                         struct script_wishes *out, struct error *err)
{
    static const struct script_session nobody = { .role = "" };
    const struct dialect *dialect = folder->dialect;
    auto_text struct text settings = text_init(SETTINGS_MOST);
    struct script_source source = { .path = migration->script_path,
                                    .name = migration->name,
                                    .session = folder->session == NULL ? &nobody : folder->session,
                                    .variable = variable,
                                    .is_inverse = migration->is_inverse };

    *out = (struct script_wishes) { .transaction = SCRIPT_TRANSACTION_UNSAID };
    dialect->checksum_of(text_slice(script), out->checksum);
    if (dialect->read_script == NULL)
        return true;
    if (!read_settings(dialect, migration, &settings, err))
        return false;
    source.settings = text_slice(&settings);
    if (!dialect->read_script(&source, script, out, err))
        return false;
    if (dialect_repeats(dialect, migration->name))
        dialect->checksum_of(text_slice(script), out->checksum);
    return true;
}

bool migration_prepare(const struct folder *folder, const struct migration *migration, struct text *script,
                       struct script_wishes *out, struct error *err)
{
    if (!read_as_tool(folder, migration, script, out, err))
        return false;
    if (migration->is_inverse)
        script_unwrap(script);
    return true;
}

void migration_checksum(const struct folder *folder, const struct migration *migration, struct slice script,
                        char out[CHECKSUM_SIZE])
{
    auto_text struct text copy = text_init(SCRIPT_BYTES_MOST);
    struct script_wishes wishes;
    struct error ignored;

    folder->dialect->checksum_of(script, out);
    if (!dialect_repeats(folder->dialect, migration->name))
        return;
    text_add(&copy, script.at, script.length);
    if (migration_prepare(folder, migration, &copy, &wishes, &ignored))
        memcpy(out, wishes.checksum, CHECKSUM_SIZE);
}

bool migration_matches(const struct folder *folder, const struct migration *migration, const char *stored,
                       struct slice script)
{
    char checksum[CHECKSUM_SIZE];

    if (folder->dialect->checksum_matches(stored, script))
        return true;
    if (!dialect_repeats(folder->dialect, migration->name))
        return false;
    migration_checksum(folder, migration, script, checksum);
    return strcmp(stored, checksum) == 0;
}

/* The scripts of another tool, moved here as they are, would be undone at once. */
static bool check_way_back(const struct dialect *dialect, const char *path, struct slice script,
                           struct error *err)
{
    size_t offset;
    const struct foreign_tool *tool = foreign_find_way_back(script, &offset);

    if (tool == NULL || tool->format == dialect->format)
        return true;
    error_set(err, ERROR_CLEAN, "the script goes back again: to %s, what follows undoes the migration",
              tool->name);
    if (tool->format == FORMAT_AUTO || dialect->layout == LAYOUT_DIRECTORIES)
        error_hint(
            err,
            "Remove it from here on: to PostgreSQL this line is a comment, and all of it would be run. If nothing is undone "
            "there, word the comment differently.");
    else
        error_hint(
            err,
            "If the folder is one of %s: --format %s. If it is not, remove this part: to PostgreSQL the line is a "
            "comment, and all of it would be run.",
            tool->name, FORMAT_NAMES[tool->format]);
    return error_point(err, path, script.at, script.length, offset);
}

bool script_check_text(const struct dialect *dialect, const char *path, struct slice script,
                       struct error *err)
{
    const char *nul = script.length == 0 ? NULL : memchr(script.at, '\0', script.length);
    size_t bad;

    if (nul != NULL) {
        error_set(err, ERROR_CLEAN, "the script contains a NUL byte");
        error_point(err, path, script.at, script.length, (size_t)(nul - script.at));
        return error_hint(err, "It may be UTF-16: save it as UTF-8.");
    }
    if (utf8_is_valid(script.at, script.length, &bad))
        return check_way_back(dialect, path, script, err);
    error_set(err, ERROR_CLEAN, "the script is not valid UTF-8 (byte 0x%02x at offset %zu)",
              (unsigned char)script.at[bad], bad);
    error_point(err, path, script.at, script.length, bad);
    /* The line contains that byte: printing it would break the terminal's UTF-8. */
    err->place.source[0] = '\0';
    if (dialect->invalid_text == NULL)
        return error_hint(err, "Save it as UTF-8.");
    return error_hint(err, "Save it as UTF-8. (%s %s.)", dialect->tool, dialect->invalid_text);
}

#include "history/place.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "config/variable.h"

enum { OWN_FILE_MOST = 1024 * 1024, PLACES_MOST = 1024 };

/* What the tool's own configuration says. */
struct own {
    const char *file; /* NULL = there is none */
    struct own_config config;
};

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* `name` as it is meant in the folder of `file`. */
static const char *beside(struct arena *arena, const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    auto_text struct text path = text_init(2 * PATH_MAX);

    if (slash == NULL || name[0] == '/')
        return name;
    text_add_format(&path, "%.*s/%s", (int)(slash - file), file, name);
    return arena_copy(arena, path.at, path.length);
}

static const char *beside_schema(struct arena *arena, const struct dialect *dialect, const char *schema)
{
    auto_text struct text inside = text_init(2 * PATH_MAX);

    if (!is_directory(schema))
        return beside(arena, schema, dialect->beside_schema);
    text_add_format(&inside, "%s/%s", schema, dialect->beside_schema);
    return arena_copy(arena, inside.at, inside.length);
}

static const char *find_own_file(struct arena *arena, const struct own_file *kind)
{
    for (size_t i = 0; kind->stems[i] != NULL; i++) {
        for (size_t j = 0; kind->extensions[j] != NULL; j++) {
            auto_text struct text name = text_init(NAME_MAX);

            text_add_format(&name, "%s%s", kind->stems[i], kind->extensions[j]);
            if (file_exists(name.at))
                return arena_copy(arena, name.at, name.length);
        }
    }
    return NULL;
}

/* One that cannot be read says nothing that can be relied upon, as one that is not plain. */
static struct own find_own(struct arena *arena, const struct dialect *dialect)
{
    for (const struct own_file *kind = dialect->own_files; kind->stems != NULL; kind++) {
        auto_text struct text text = text_init(OWN_FILE_MOST);
        struct own own = { .file = find_own_file(arena, kind) };
        struct error err;

        if (own.file == NULL)
            continue;
        own.config = file_read(own.file, &text, &err)
                         ? kind->read(arena, text_slice(&text))
                         : (struct own_config) { .migrations = { .state = OWN_PLACE_NOT_PLAIN },
                                                 .flaw = "it cannot be read" };
        return own;
    }
    return (struct own) { .file = NULL };
}

static bool refuse_own(const struct own *own, const char *path, struct error *err)
{
    error_set(err, ERROR_USAGE, "could not find the folder of migrations \"%s\", which %s names", path,
              own->file);
    return error_hint(err,
                      "Check that it is in the image, or name another one with --migrations DIR or "
                      "TIDELOCK_MIGRATIONS.");
}

/* Whether it may name a place that is not known: the folder's own, or else that of the schema. */
static bool is_unclear(const struct own *own)
{
    return own->config.migrations.state == OWN_PLACE_NOT_PLAIN ||
           (own->config.migrations.state == OWN_PLACE_UNSAID &&
            own->config.schema.state == OWN_PLACE_NOT_PLAIN);
}

/* Each once: tools share names. */
static void add_place(const char *place, struct text *out)
{
    auto_text struct text item = text_init(PLACES_MOST);

    text_add_format(&item, " %s,", place);
    if (out->length == 0 || strstr(out->at, item.at) == NULL)
        text_add_string(out, item.at);
}

static void refuse_everywhere(const struct dialect *dialect, struct error *err)
{
    auto_text struct text places = text_init(PLACES_MOST);

    for (size_t i = 0; dialect->places[i] != NULL; i++)
        add_place(dialect->places[i], &places);
    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        for (size_t j = 0; DIALECTS[i]->places[j] != NULL; j++)
            add_place(DIALECTS[i]->places[j], &places);
    }
    error_set(err, ERROR_USAGE, "could not find the folder of migrations: none of%.*s exists",
              (int)places.length - 1, places.at);
}

static void refuse_own_places(const struct dialect *dialect, struct error *err)
{
    auto_text struct text places = text_init(PLACES_MOST);

    for (size_t i = 0; dialect->places[i] != NULL; i++)
        text_add_format(&places, "%s %s ", i == 0 ? "neither" : "nor", dialect->places[i]);
    if (dialect->places[1] == NULL)
        error_set(err, ERROR_USAGE, "could not find the folder of migrations: there is no %s",
                  dialect->places[0]);
    else
        error_set(err, ERROR_USAGE, "could not find the folder of migrations: %sexists", places.at);
}

static bool refuse_nowhere(const struct dialect *dialect, enum format format, const struct own *own,
                           struct error *err)
{
    if (format == FORMAT_AUTO && !is_unclear(own))
        refuse_everywhere(dialect, err);
    else
        refuse_own_places(dialect, err);
    if (is_unclear(own))
        error_detail(err, "%s may say where it is, but %s.", own->file, own->config.flaw);
    if (format == FORMAT_AUTO && !is_unclear(own))
        return error_hint(
            err, "Name it with --migrations DIR or TIDELOCK_MIGRATIONS, and check that it is in the image.");
    return error_hint(
        err, "Name it with --migrations DIR or TIDELOCK_MIGRATIONS, and check that it is in the image (%s).",
        dialect->copy);
}

/* The first of its usual places that exists, or NULL. */
static const char *usual_of(const struct dialect *dialect)
{
    size_t i = 0;

    while (dialect->places[i] != NULL && !is_directory(dialect->places[i]))
        i++;
    return dialect->places[i];
}

static bool find_usual(const struct dialect *dialect, enum format format, const struct own *own,
                       const char **out, struct error *err)
{
    const char *found = usual_of(dialect);

    for (size_t i = 0; found == NULL && format == FORMAT_AUTO && !is_unclear(own) && DIALECTS[i] != NULL; i++)
        found = usual_of(DIALECTS[i]);
    if (found == NULL)
        return refuse_nowhere(dialect, format, own, err);
    if (is_unclear(own))
        log_warn(
            "%s may name another folder of migrations than \"%s\", but %s: to be sure, name it with "
            "--migrations DIR",
            own->file, found, own->config.flaw);
    *out = found;
    return true;
}

static bool find_unsaid(struct arena *arena, const struct dialect *dialect, enum format format,
                        const char **out, struct error *err)
{
    const struct own own = find_own(arena, dialect);
    const char *path;

    if (own.config.migrations.state == OWN_PLACE_PLAIN)
        path = beside(arena, own.file, own.config.migrations.path);
    else if (own.config.migrations.state == OWN_PLACE_UNSAID && own.config.schema.state == OWN_PLACE_PLAIN)
        path = beside_schema(arena, dialect, beside(arena, own.file, own.config.schema.path));
    else
        return find_usual(dialect, format, &own, out, err);
    *out = path;
    return is_directory(path) || refuse_own(&own, path, err);
}

/* What the environment tells a tool of the format, or of any, or NULL. */
static const char *of_variable(const struct config *config)
{
    const char *folder = NULL;

    for (size_t i = 0; folder == NULL && DIALECTS[i] != NULL; i++) {
        if (config->format == FORMAT_AUTO || DIALECTS[i]->format == (enum format)config->format)
            folder = variable_of_tool(config, DIALECTS[i]->folder_variable);
    }
    return folder;
}

bool place_find(struct arena *arena, const struct dialect *dialect, const struct config *config,
                const char **out, struct error *err)
{
    const char *said = config->migrations;

    if (said == NULL && config->schema_file == NULL)
        said = of_variable(config);
    if (said != NULL) {
        *out = said;
        return true;
    }
    if (config->schema_file == NULL)
        return find_unsaid(arena, dialect, (enum format)config->format, out, err);
    if (file_exists(config->schema_file)) {
        *out = beside_schema(arena, dialect, config->schema_file);
        return true;
    }
    error_set(err, ERROR_USAGE, "could not find the schema \"%s\"", config->schema_file);
    return error_hint(err,
                      "Correct --schema (TIDELOCK_SCHEMA), or name the folder of migrations with "
                      "--migrations DIR.");
}

#include "deploy/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/endpoint.h"
#include "config/password_source.h"
#include "config/variable.h"
#include "dialect/dialect.h"
#include "history/folder.h"
#include "history/layout.h"
#include "history/place.h"
#include "history/recognise.h"
#include "postgres/reach.h"
#include "schema/catalog.h"

/* The tool's switch exists because it waits for the lock inside the server; tidelock never does. */
static void note_lock_switch(const char *name)
{
    const char *value = name == NULL ? NULL : getenv(name);

    if (value != NULL && value[0] != '\0' && !(value[0] == '0' && value[1] == '\0'))
        log_warn("%s is ignored: only the leader lock keeps deployments from running at the same time", name);
}

/* Of the format that is asked for, or of any. */
static const struct dialect *first_of(const struct config *config)
{
    size_t i = 0;

    while (config->format != FORMAT_AUTO && DIALECTS[i] != NULL &&
           DIALECTS[i]->format != (enum format)config->format)
        i++;
    return DIALECTS[i] == NULL ? DIALECTS[0] : DIALECTS[i];
}

/* The dialect with the ledger that --ledger names, or the tool's own variable. */
static const struct dialect *with_ledger(struct arena *arena, const struct dialect *dialect,
                                         const struct config *config)
{
    const char *ledger =
        config->ledger != NULL ? config->ledger : variable_of_tool(config, dialect->ledger_variable);
    const char *dot = ledger == NULL ? NULL : strchr(ledger, '.');
    struct dialect *changed;

    if (ledger == NULL)
        return dialect;
    changed = arena_alloc(arena, 1, sizeof *changed);
    *changed = *dialect;
    changed->ledger_name = dot == NULL ? ledger : dot + 1;
    if (dot != NULL)
        changed->ledger_schema = arena_copy(arena, ledger, (size_t)(dot - ledger));
    return changed;
}

static bool is_plain(struct slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && name.at[i] != '_' &&
            (i == 0 || name.at[i] < '0' || name.at[i] > '9'))
            return false;
    }
    return name.length > 0;
}

/* Where the tool would create the schema that the URL's search_path begins with, so do we. */
static const struct dialect *with_first_schema(struct arena *arena, const struct dialect *dialect,
                                               const char *path)
{
    struct slice first = slice_trim((struct slice) { path, path == NULL ? 0 : strcspn(path, ",") });
    struct dialect *changed;

    if (dialect->ledger_search != SEARCH_FIRST_SCHEMA || dialect->ledger_schema != NULL || !is_plain(first))
        return dialect;
    changed = arena_alloc(arena, 1, sizeof *changed);
    *changed = *dialect;
    changed->ledger_schema = arena_copy(arena, first.at, first.length);
    return changed;
}

static void take_search_path(struct arena *arena, const struct dialect *dialect, struct endpoint *endpoint)
{
    if (dialect->takes_search_path)
        endpoint_take_search_path(arena, endpoint);
    else if (endpoint->search_path != NULL)
        log_warn("search_path in the database URL is ignored, as %s ignores it: write schema=NAME",
                 dialect->tool);
}

static bool refuse_ambiguous(const struct recognised *found, const char *path, struct error *err)
{
    auto_text struct text tools = text_init(sizeof err->message);

    for (size_t i = 0; i < found->count; i++)
        text_add_format(&tools, "%s%s's",
                        i == 0                  ? ""
                        : i + 1 == found->count ? " or "
                                                : ", ",
                        found->dialects[i]->tool);
    error_set(err, ERROR_USAGE, "the folder \"%s\" may be %s", path, tools.at);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Say whose it is: --format %s, for example, or TIDELOCK_FORMAT.",
                      FORMAT_NAMES[found->dialects[0]->format]);
}

/* Where the folder is, and whose. */
static bool find_folder(struct arena *arena, const struct config *config, struct target *out,
                        const char **path, struct error *err)
{
    struct recognised found;

    if (!place_find(arena, first_of(config), config, path, err))
        return false;
    recognise((enum format)config->format, *path, &found);
    if (found.count > 1)
        return refuse_ambiguous(&found, *path, err);
    take_search_path(arena, found.dialects[0], &out->endpoint);
    out->folder.dialect =
        with_first_schema(arena, with_ledger(arena, found.dialects[0], config), out->endpoint.search_path);
    if (config->format == FORMAT_AUTO && found.dialects[0] != DIALECTS[0])
        log_info("\"%s\" is a folder of %s", *path, out->folder.dialect->tool);
    return true;
}

bool target_find_database(struct arena *arena, const struct config *config, struct target *out,
                          struct error *err)
{
    *out = (struct target) { .folder = { .dialect = first_of(config) } };
    note_lock_switch(out->folder.dialect->lock_switch);
    if (!endpoint_find(arena, config, &out->endpoint, err))
        return false;
    log_context(LOG_DATABASE, endpoint_database(&out->endpoint));
    return true;
}

bool target_find_unchecked(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    const char *path;

    return target_find_database(arena, config, out, err) && find_folder(arena, config, out, &path, err) &&
           folder_read(arena, out->folder.dialect, path, &out->folder, err);
}

bool target_find_folder(struct arena *arena, const struct config *config, struct target *out,
                        struct error *err)
{
    const char *path;

    out->begun = NULL;
    return find_folder(arena, config, out, &path, err) && folder_check(out->folder.dialect, path, err) &&
           folder_read(arena, out->folder.dialect, path, &out->folder, err) &&
           layout_check(&out->folder, path, false, err);
}

bool target_find_and_begin(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    const char *path;

    if (!find_folder(arena, config, out, &path, err) || !folder_check(out->folder.dialect, path, err))
        return false;
    /* A password that must be requested first is not available yet. */
    if (config->password_from == PASSWORD_NOWHERE)
        out->begun = reach_begin(config, &out->endpoint);
    if (folder_read(arena, out->folder.dialect, path, &out->folder, err) &&
        layout_check(&out->folder, path, false, err) &&
        (config->to == NULL || folder_limit(&out->folder, config->to, err)))
        return true;
    connection_close(out->begun);
    return false;
}

bool target_find(struct arena *arena, const struct config *config, bool may_be_empty, struct target *out,
                 struct error *err)
{
    return target_find_unchecked(arena, config, out, err) &&
           folder_check(out->folder.dialect, out->folder.path, err) &&
           layout_check(&out->folder, out->folder.path, may_be_empty, err);
}

bool target_read_facts(struct arena *arena, const struct config *config, struct facts *out, struct error *err)
{
    auto_connection struct connection *conn = NULL;
    struct target target;

    return target_find_database(arena, config, &target, err) &&
           (conn = reach_database(config, &target.endpoint, NULL, err)) != NULL &&
           catalog_read(arena, conn, &(const struct catalog_request) { .dialect = target.folder.dialect },
                        out, err);
}

void target_log_database(const struct ledger *ledger, const struct connection *conn)
{
    enum { VERSION_SIZE = 32, HOST_MOST = 512 };
    auto_text struct text host = text_init(HOST_MOST);
    const char *schema = ledger->schema == NULL ? "" : ledger->schema;
    int version = connection_server_version(conn);
    char server[VERSION_SIZE];

    connection_add_server(conn, &host);
    const struct log_value values[] = { { .name = "schema", .text = schema },
                                        { .name = "host", .text = host.at },
                                        { .name = "role", .text = ledger->role },
                                        { .name = "server_version", .text = server } };

    (void)snprintf(server, sizeof server, "%d.%d", version / 10000, version % 10000);
    log_context(LOG_DATABASE, ledger->database);
    log_event(LOG_INFO, values, array_length(values),
              "database \"%s\", schema \"%s\" at %s, as \"%s\", PostgreSQL %s", ledger->database, schema,
              host.at, ledger->role, server);
}

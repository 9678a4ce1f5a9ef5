#include "deploy/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "config/endpoint.h"
#include "config/password_source.h"
#include "config/variable.h"
#include "deploy/candidate.h"
#include "dialect/dialect.h"
#include "history/folder.h"
#include "history/layout.h"
#include "history/place.h"
#include "history/shared_folder.h"
#include "postgres/reach.h"
#include "schema/catalog.h"

/* The tool's switch exists because it waits for the lock inside the server; tidelock never does. */
static void note_lock_switch(const char *name)
{
    const char *value = name == NULL ? NULL : getenv(name);

    if (value != NULL && value[0] != '\0' && !(value[0] == '0' && value[1] == '\0'))
        log_warn("%s is ignored: only the leader lock keeps deployments from running at the same time", name);
}

static void warn_of_unheard(const struct endpoint *endpoint, const struct dialect *dialect)
{
    if (!dialect->takes_search_path && endpoint->search_path != NULL)
        log_warn("the parameter \"search_path\" of the database URL is ignored: %s does not know it",
                 dialect->tool);
    else if (!dialect->takes_url_table && endpoint->ledger_table != NULL)
        log_warn("the parameter \"x-migrations-table\" of the database URL is ignored: %s does not know it",
                 dialect->tool);
}

static void take(const struct candidate *candidate, struct target *out)
{
    out->folder.dialect = candidate->dialect;
    out->endpoint = candidate->endpoint;
}

/* "goose's or sqlx's" */
static void add_tools(const struct candidates *all, const char *last, struct text *out)
{
    for (size_t i = 0; i < all->count; i++)
        text_add_format(out, "%s%s's",
                        i == 0                ? ""
                        : i + 1 == all->count ? last
                                              : ", ",
                        all->items[i].dialect->tool);
}

static bool refuse_ambiguous(const struct candidates *all, const char *path, struct error *err)
{
    auto_text struct text tools = text_init(sizeof err->message);

    add_tools(all, " or ", &tools);
    error_set(err, ERROR_USAGE, "the folder \"%s\" may be %s", path, tools.at);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Say whose it is: --format %s, for example, or TIDELOCK_FORMAT.",
                      FORMAT_NAMES[all->items[0].dialect->format]);
}

/* The ledger in the database says it, if it is the ledger of one of them. What was begun serves to ask. */
static bool decide(const struct config *config, const struct candidates *all, const char *path,
                   struct target *out, struct error *err)
{
    auto_connection struct connection *conn = reach_database(config, &out->endpoint, steal(&out->begun), err);
    struct candidates left = *all;

    if (conn == NULL || !candidates_keep_with_ledger(conn, &left, err))
        return error_context(err, "finding out whose the folder is");
    if (left.count != 1)
        return refuse_ambiguous(all, path, err);
    take(&left.items[0], out);
    log_info("\"%s\" is taken for a folder of %s, whose ledger the database has: %s", path,
             out->folder.dialect->tool, out->folder.dialect->ledger_name);
    return true;
}

/* Whose folder it is. */
static bool find_owner(const struct config *config, bool is_online, struct directory *folder,
                       struct target *out, struct error *err)
{
    const char *path = folder->path;
    struct candidates all = { .items = { { candidate_first(config), out->endpoint } } };
    struct recognised found;

    shared_recognise(config->shared_folder, (enum format)config->format, folder, &found);
    if (config->format == FORMAT_AUTO && found.owner != NULL)
        return layout_refuse_owner(found.owner, path, err);
    for (size_t i = 0; i < found.count; i++) {
        if (!candidates_add(config, &out->endpoint, found.dialects[i], &all, err))
            return false;
    }
    if (found.count > 1)
        return is_online ? decide(config, &all, path, out, err) : refuse_ambiguous(&all, path, err);
    take(&all.items[0], out);
    warn_of_unheard(&out->endpoint, out->folder.dialect);
    if (config->format == FORMAT_AUTO && found.dialects[0]->format != DIALECTS[0]->format)
        log_info("\"%s\" is a folder of %s", path, found.dialects[0]->tool);
    return true;
}

/* What one tenant has would count for the others of its database. */
static bool check_own_ledger(const struct target *target, struct error *err)
{
    const struct dialect *dialect = target->folder.dialect;
    const char *schema = target->endpoint.tenant_schema;

    if (schema == NULL || dialect->ledger_schema == NULL || strcmp(schema, dialect->ledger_schema) == 0)
        return true;
    error_set(err, ERROR_USAGE, "the ledger %s.%s would be that of every tenant in this database",
              dialect->ledger_schema, dialect->ledger_name);
    error_holds(err, "Nothing was changed.");
    return error_hint(
        err,
        "Give each tenant a ledger in its own schema: name the table alone (--ledger TABLE). Where "
        "the tool has a schema for its ledger, give each tenant a database.");
}

/* Where the folder is, and whose. */
static bool find_folder(const struct config *config, bool is_online, struct directory *folder,
                        struct target *out, struct error *err)
{
    return place_find(config->arena, candidate_first(config), config, &folder->path, err) &&
           find_owner(config, is_online, folder, out, err) && check_own_ledger(out, err);
}

static bool refuse_several(const struct candidates *all, struct error *err)
{
    auto_text struct text tools = text_init(sizeof err->message);

    add_tools(all, " and ", &tools);
    error_set(err, ERROR_USAGE, "the database has several ledgers: %s", tools.at);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Say which one is meant: --format %s, for example, or TIDELOCK_FORMAT.",
                      FORMAT_NAMES[all->items[0].dialect->format]);
}

bool target_find_ledger(const struct config *config, struct connection *conn, struct target *out,
                        struct error *err)
{
    struct candidates all = { .count = 0 };

    for (size_t i = 0; DIALECTS[i] != NULL; i++) {
        if ((config->format == FORMAT_AUTO || DIALECTS[i]->format == (enum format)config->format) &&
            (i == 0 || DIALECTS[i]->format != DIALECTS[i - 1]->format) &&
            !candidates_add(config, &out->endpoint, DIALECTS[i], &all, err))
            return false;
    }
    if (config->format == FORMAT_AUTO && !candidates_keep_with_ledger(conn, &all, err))
        return false;
    if (all.count > 1 && config->format == FORMAT_AUTO)
        return refuse_several(&all, err);
    if (all.count > 0)
        take(&all.items[0], out);
    return true;
}

bool target_find_database(struct arena *arena, const struct config *config, struct target *out,
                          struct error *err)
{
    *out = (struct target) { .folder = { .dialect = candidate_first(config) } };
    note_lock_switch(out->folder.dialect->lock_switch);
    if (!endpoint_find(arena, config, &out->endpoint, err))
        return false;
    log_context(LOG_DATABASE, endpoint_database(&out->endpoint));
    return true;
}

bool target_find_unchecked(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    struct directory folder = { .arena = shared_arena(config->shared_folder, arena) };

    return target_find_database(arena, config, out, err) && find_folder(config, true, &folder, out, err) &&
           shared_read(config->shared_folder, arena, &folder, &out->folder, err);
}

bool target_find_folder(struct arena *arena, const struct config *config, struct target *out,
                        struct error *err)
{
    struct directory folder = { .arena = shared_arena(config->shared_folder, arena) };

    out->begun = NULL;
    return find_folder(config, false, &folder, out, err) &&
           folder_check(out->folder.dialect, folder.path, err) &&
           shared_read(config->shared_folder, arena, &folder, &out->folder, err) &&
           layout_check(&out->folder, folder.path, false, err);
}

/* A password that must be requested first is not available yet. */
static void begin(const struct config *config, struct target *out)
{
    if (out->begun == NULL && config->password_from == PASSWORD_NOWHERE)
        out->begun = reach_begin(config, &out->endpoint);
}

/* The server begins a session while the folder is looked at, unless its tool has a say in what that is like.
 */
static bool find_and_begin(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    struct directory folder = { .arena = shared_arena(config->shared_folder, arena) };
    bool is_there;

    if (!place_find(config->arena, candidate_first(config), config, &folder.path, err))
        return false;
    is_there = file_exists(folder.path);
    if (is_there && candidate_has_one_session(config, &out->endpoint))
        begin(config, out);
    if (!find_owner(config, true, &folder, out, err) || !check_own_ledger(out, err) ||
        !folder_check(out->folder.dialect, folder.path, err))
        return false;
    if (is_there)
        begin(config, out);
    return shared_read(config->shared_folder, arena, &folder, &out->folder, err) &&
           layout_check(&out->folder, folder.path, false, err) &&
           (config->to == NULL || folder_limit(&out->folder, config->to, err));
}

bool target_find_and_begin(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    if (find_and_begin(arena, config, out, err))
        return true;
    connection_close(steal(&out->begun));
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
           candidate_set_ledger(arena, config, &target.folder.dialect, err) &&
           (conn = reach_database(config, &target.endpoint, NULL, err)) != NULL &&
           catalog_read(arena, conn, &(const struct catalog_request) { .dialect = target.folder.dialect },
                        out, err);
}

void target_log_database(const struct ledger *ledger, const struct connection *conn)
{
    enum { VERSION_SIZE = 32, HOST_MOST = 512 };
    auto_text struct text host = text_init(HOST_MOST);
    const char *schema = ledger->default_schema == NULL ? "" : ledger->default_schema;
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

#include "deploy/target.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "config/endpoint.h"
#include "config/password_source.h"
#include "dialect/dialect.h"
#include "history/folder.h"
#include "history/layout.h"
#include "history/place.h"
#include "postgres/reach.h"
#include "schema/catalog.h"

/* The tool's switch exists because it waits for the lock inside the server; tidelock never does. */
static void note_lock_switch(const char *name)
{
    const char *value = getenv(name);

    if (value != NULL && value[0] != '\0' && !(value[0] == '0' && value[1] == '\0'))
        log_warn("%s is ignored: only the leader lock keeps deployments from running at the same time", name);
}

bool target_find_database(struct arena *arena, const struct config *config, struct target *out,
                          struct error *err)
{
    note_lock_switch(DIALECT_PRISMA.lock_switch);
    *out = (struct target) { .folder = { .dialect = &DIALECT_PRISMA } };
    if (!endpoint_find(arena, config, &out->endpoint, err))
        return false;
    log_context(LOG_DATABASE, endpoint_database(&out->endpoint));
    return true;
}

bool target_find_unchecked(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    const char *path;

    return target_find_database(arena, config, out, err) &&
           place_find(arena, &DIALECT_PRISMA, config, &path, err) &&
           folder_read(arena, &DIALECT_PRISMA, path, &out->folder, err);
}

bool target_find_folder(struct arena *arena, const struct config *config, struct target *out,
                        struct error *err)
{
    const char *path;

    out->begun = NULL;
    return place_find(arena, &DIALECT_PRISMA, config, &path, err) &&
           folder_check(&DIALECT_PRISMA, path, err) &&
           folder_read(arena, &DIALECT_PRISMA, path, &out->folder, err) &&
           layout_check(&out->folder, path, false, err);
}

bool target_find_and_begin(struct arena *arena, const struct config *config, struct target *out,
                           struct error *err)
{
    const char *path;

    if (!place_find(arena, &DIALECT_PRISMA, config, &path, err) || !folder_check(&DIALECT_PRISMA, path, err))
        return false;
    /* A password that must be requested first is not available yet. */
    if (config->password_from == PASSWORD_NOWHERE)
        out->begun = reach_begin(config, &out->endpoint);
    if (folder_read(arena, &DIALECT_PRISMA, path, &out->folder, err) &&
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
           catalog_read(arena, conn, &(const struct catalog_request) { .dialect = &DIALECT_PRISMA }, out,
                        err);
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

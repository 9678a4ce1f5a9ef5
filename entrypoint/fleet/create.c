#include "fleet/create.h"

#include <string.h>

#include "base/log.h"
#include "config/endpoint.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "sql/quote.h"

enum { SQL_MOST = 1024 };

static const struct query FIND_DATABASE = {
    .name = "tenant_database",
    .parameters = 1,
    .sql = "SELECT FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) $1",
};

static const struct query FIND_SCHEMA = {
    .name = "tenant_schema",
    .parameters = 1,
    .sql = "SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) $1",
};

/* What is wanted, and who creates it. */
struct wish {
    struct arena *arena;
    struct config creator;
    const char *database; /* NULL = it is known to be there */
    const char *schema;   /* NULL = public, which a database is born with */
    const char *owner;    /* NULL = the creator */
    const char *template; /* NULL = the server's own */
    bool is_dry_run;
};

/* Whether a tenant's URL leads to the server where the configuration's user creates databases. */
static bool is_at_home(struct arena *arena, const struct config *config, const struct endpoint *own)
{
    struct endpoint home;
    struct error ignored;

    return (config->database_url != NULL || config->direct_url != NULL) &&
           endpoint_find(arena, config, &home, &ignored) && strcmp(home.label, own->label) == 0;
}

static bool read_wish(const struct config *config, const struct tenant *tenant, struct wish *out,
                      struct error *err)
{
    struct config own_config = tenant_config(config, tenant);
    bool is_guest;
    struct endpoint own;

    if (!endpoint_find(out->arena, &own_config, &own, err))
        return false;
    is_guest = tenant->url != NULL && !is_at_home(out->arena, config, &own);
    out->creator = is_guest ? own_config : *config;
    out->creator.arena = out->arena;
    out->creator.database = is_guest ? MAINTENANCE_DATABASE : NULL;
    out->creator.schema = NULL;
    if (tenant->database != NULL || tenant->url != NULL)
        out->database = endpoint_database(&own);
    out->schema = own.schema != NULL && strcmp(own.schema, "public") != 0 ? own.schema : NULL;
    out->owner = config->made_for;
    if (out->owner == NULL && config->set_role == NULL && (tenant->user != NULL || tenant->url != NULL))
        out->owner = endpoint_value(&own, "user");
    out->template = config->made_from;
    out->is_dry_run = config->is_dry_run;
    return true;
}

/* Nobody can be connected to a template that is copied, and the database URL's may be one. */
static bool keep_off_template(struct wish *wish, struct error *err)
{
    struct endpoint endpoint;
    const char *database;

    if (wish->template == NULL)
        return true;
    if (!endpoint_find(wish->arena, &wish->creator, &endpoint, err))
        return false;
    database = endpoint_database(&endpoint);
    if (database != NULL && strcmp(database, wish->template) == 0)
        wish->creator.database = MAINTENANCE_DATABASE;
    return true;
}

static struct connection *reach(const struct wish *wish, struct error *err)
{
    struct endpoint endpoint;

    return endpoint_find(wish->arena, &wish->creator, &endpoint, err)
               ? reach_database(&wish->creator, &endpoint, NULL, err)
               : NULL;
}

static bool is_one_of(const struct error *err, const char *const *codes)
{
    for (; *codes != NULL; codes++) {
        if (strcmp(err->sqlstate, *codes) == 0)
            return true;
    }
    return false;
}

/* Another process was faster: seen by name, or by the catalog's index. */
static bool was_created_meanwhile(const struct error *err)
{
    return is_one_of(err, (const char *const[]) { "42P04", "42P06", "23505", NULL });
}

static void add_database(const struct wish *wish, struct text *sql)
{
    text_add_string(sql, "CREATE DATABASE ");
    quote_identifier(wish->database, sql);
    if (wish->owner != NULL) {
        text_add_string(sql, " OWNER ");
        quote_identifier(wish->owner, sql);
    }
    if (wish->template != NULL) {
        text_add_string(sql, " TEMPLATE ");
        quote_identifier(wish->template, sql);
    }
}

static void add_schema(const struct wish *wish, struct text *sql)
{
    text_add_string(sql, "CREATE SCHEMA ");
    quote_identifier(wish->schema, sql);
    if (wish->owner != NULL) {
        text_add_string(sql, " AUTHORIZATION ");
        quote_identifier(wish->owner, sql);
    }
}

/* A database or a schema, and how it is created. */
struct kind {
    const char *word;
    const struct query *find;
    void (*add)(const struct wish *wish, struct text *sql);
    const char *rights; /* what whoever creates it needs */
};

static const struct kind DATABASE = {
    "database", &FIND_DATABASE, add_database,
    "The role needs CREATEDB, must own the template unless it is marked as one, and be a member of the owner."
};

static const struct kind SCHEMA = {
    "schema", &FIND_SCHEMA, add_schema,
    "The role needs CREATE on the database, and must be a member of the owner."
};

static bool refuse(const struct kind *kind, const char *name, struct error *err)
{
    error_message(err, "could not create %s \"%s\": %s", kind->word, name, err->message);
    if (strcmp(err->sqlstate, "55006") == 0)
        return error_hint(err,
                          "A template is copied only while nobody else is connected to it: end its sessions, "
                          "and keep it free of others (ALTER DATABASE … WITH ALLOW_CONNECTIONS false).");
    if (strcmp(err->sqlstate, "42501") == 0)
        return error_hint(err, "%s", kind->rights);
    if (is_one_of(err, (const char *const[]) { "42704", "3D000", NULL })) {
        err->class = ERROR_USAGE;
        return error_hint(err, "Correct --template, --owner or the list.");
    }
    return false;
}

static bool send(const struct wish *wish, const struct kind *kind, struct connection *conn, struct error *err)
{
    auto_text struct text sql = text_init(SQL_MOST);

    kind->add(wish, &sql);
    return query_run(conn, &(const struct query) { .name = "tenant_create", .sql = sql.at }, NULL, NULL, err);
}

/* Unless it is there. */
static bool create(const struct wish *wish, const struct kind *kind, enum creation *out, struct error *err)
{
    const char *name = kind == &DATABASE ? wish->database : wish->schema;
    auto_connection struct connection *conn = reach(wish, err);
    auto_result struct result *found = NULL;

    if (conn == NULL || !query_run(conn, kind->find, (const char *const[]) { name }, &found, err))
        return false;
    if (result_rows(found) > 0)
        return true;
    if (wish->is_dry_run) {
        *out = CREATION_DUE;
        return true;
    }
    if (!send(wish, kind, conn, err))
        return was_created_meanwhile(err) || refuse(kind, name, err);
    *out = CREATION_DONE;
    log_info("created %s \"%s\"", kind->word, name);
    return true;
}

bool create_missing(struct arena *arena, const struct config *config, const struct tenant *tenant,
                    enum creation *out, struct error *err)
{
    struct wish wish = { .arena = arena };

    *out = CREATION_NONE;
    if (!config->makes_missing || tenant->is_there)
        return true;
    if (!read_wish(config, tenant, &wish, err) || !keep_off_template(&wish, err))
        return false;
    if (wish.database != NULL && !create(&wish, &DATABASE, out, err))
        return false;
    if (wish.schema == NULL || *out == CREATION_DUE)
        return true;
    wish.creator.database = wish.database;
    return create(&wish, &SCHEMA, out, err);
}

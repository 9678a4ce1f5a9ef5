#include "config/endpoint.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/file.h"
#include "base/log.h"
#include "config/libpq_files.h"
#include "config/password_source.h"
#include "config/trust.h"
#include "config/url_tls.h"

enum { OPTIONS_BYTES_MOST = 8192 };

/* libpq's own variables that say where a database is: the first of them also where the server is, which is
 * otherwise one of this machine. */
static const char *const LIBPQ_NAMES[] = { "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGUSER" };
enum { NAMES_OF_SERVERS = 3 };

static bool is_one_set(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (env_value(LIBPQ_NAMES[i]) != NULL)
            return true;
    }
    return false;
}

/* libpq would use these by itself; set explicitly, they can be acted on: a host is looked up, a CA found. A
 * service file takes precedence over them (PostgreSQL documentation, "The Connection Service File"), so with
 * one they are left to libpq. */
static bool take_libpq_variables(struct endpoint *endpoint, struct error *err)
{
    static const struct {
        const char *keyword;
        const char *variable;
    } known[] = {
        { "host", "PGHOST" },
        { "hostaddr", "PGHOSTADDR" },
        { "port", "PGPORT" },
        { "user", "PGUSER" },
        { "sslrootcert", "PGSSLROOTCERT" },
        { "sslcert", "PGSSLCERT" },
        { "sslkey", "PGSSLKEY" },
        { "sslcrl", "PGSSLCRL" },
        { "sslcrldir", "PGSSLCRLDIR" },
        { "channel_binding", "PGCHANNELBINDING" },
    };
    const char *mode = env_value("PGSSLMODE");

    for (size_t i = 0; i < array_length(known); i++) {
        const char *value = env_value(known[i].variable);

        if (value != NULL && endpoint_value(endpoint, known[i].keyword) == NULL)
            endpoint_set(endpoint, known[i].keyword, value);
    }
    if (mode != NULL && (endpoint_value(endpoint, "sslmode") == NULL || endpoint->is_sslmode_standard) &&
        !url_set_tls_mode(mode, "PGSSLMODE", endpoint, err))
        return false;
    url_verify_by_ca(endpoint);
    return true;
}

/* Without a name libpq takes the operating system's, which a container's user often does not have. */
static bool check_user(const struct endpoint *endpoint, const struct config *config, struct error *err)
{
    if (password_source_may_give_user(config->password_from) || endpoint_value(endpoint, "user") != NULL ||
        getpwuid(geteuid()) != NULL)
        return true;
    error_set(err, ERROR_USAGE, "no database user is set, and uid %ld has no user name in this container",
              (long)geteuid());
    error_code(err, "P1013");
    return error_hint(err, "Write postgresql://USER:PASSWORD@HOST:5432/DATABASE, or set PGUSER.");
}

static bool names_service(const struct endpoint *endpoint)
{
    return endpoint_value(endpoint, "service") != NULL || env_value("PGSERVICE") != NULL;
}

/* A service file's password takes precedence over PGPASSWORD; a password given to us in a file takes
 * precedence over both. */
static void take_password(struct endpoint *endpoint, const struct config *config, bool is_service)
{
    const char *password = endpoint_value(endpoint, "password");
    const char *key_password = endpoint_value(endpoint, "sslpassword");

    if (config->is_password_first)
        password = NULL;
    if (password != NULL)
        redact_register(password, strlen(password));
    if (key_password != NULL)
        redact_register(key_password, strlen(key_password));
    if (password != NULL || config->password == NULL || (is_service && config->password_file == NULL))
        return;
    endpoint_set(endpoint, "password", config->password);
    endpoint->is_password_apart = true;
}

/* A setting with which the session begins; spaces and backslashes in it are escaped with a backslash (libpq
 * documentation, options). */
static void begin_with(struct arena *arena, struct endpoint *endpoint, const char *setting, const char *value)
{
    const char *before = endpoint_value(endpoint, "options");
    auto_text struct text options = text_init(OPTIONS_BYTES_MOST);

    if (before == NULL)
        before = getenv("PGOPTIONS");
    text_add_format(&options, "%s -c %s=", before == NULL ? "" : before, setting);
    for (const char *at = value; *at != '\0'; at++)
        text_add_format(&options, "%s%c", strchr(" \t\n\v\f\r\\", *at) != NULL ? "\\" : "", *at);
    endpoint_set(endpoint, "options", arena_copy(arena, options.at, options.length));
}

/* As a startup option it is what RESET ROLE returns to (PostgreSQL documentation, "SET ROLE"). */
static void take_role(struct endpoint *endpoint, const struct config *config)
{
    if (config->set_role != NULL)
        begin_with(config->arena, endpoint, "role", config->set_role);
}

void endpoint_take_search_path(struct arena *arena, struct endpoint *endpoint)
{
    if (endpoint->search_path != NULL && endpoint->search_path[0] != '\0')
        begin_with(arena, endpoint, "search_path", endpoint->search_path);
}

/* A cloud's token is sent as plain text: whoever can read it can use it. */
static bool require_encryption(struct endpoint *endpoint, const struct config *config, bool is_service,
                               struct error *err)
{
    const char *mode = endpoint_value(endpoint, "sslmode");
    const char *name = PASSWORD_SOURCE_NAMES[config->password_from];
    bool is_said = mode != NULL && !endpoint->is_sslmode_standard;

    if (!password_source_is_token(config->password_from))
        return true;
    if (!is_said && is_service) {
        error_set(
            err, ERROR_USAGE,
            "cannot use a service file with %s: the token could be sent before it is known whether TLS is "
            "required",
            name);
        return error_hint(err, "Set DATABASE_URL instead, with sslmode=verify-full.");
    }
    if (!is_said && (mode == NULL || strncmp(mode, "verify-", 7) != 0))
        endpoint_set(endpoint, "sslmode", "require");
    if (!is_said || strcmp(mode, "require") == 0 || strncmp(mode, "verify-", 7) == 0)
        return true;
    error_set(err, ERROR_USAGE, "with sslmode=%s the token from %s could be sent unencrypted", mode, name);
    return error_hint(err, "Set sslmode=verify-full, or sslmode=require.");
}

/* The folder of Prisma's schema, from which Prisma reads relative names. */
static const char *beside_schema(struct arena *arena, const struct config *config)
{
    const char *path = config->migrations != NULL ? config->migrations : config->schema_file;
    struct slice folder = slice_of(path == NULL ? "prisma/schema" : path);

    while (folder.length > 1 && folder.at[folder.length - 1] == '/')
        folder.length--;
    while (folder.length > 0 && folder.at[folder.length - 1] != '/')
        folder.length--;
    while (folder.length > 1 && folder.at[folder.length - 1] == '/')
        folder.length--;
    return folder.length == 0 ? "." : arena_copy(arena, folder.at, folder.length);
}

/* With everything that libpq's variables add; only libpq reads a service file. */
static const char *label_of(struct arena *arena, const struct endpoint *endpoint)
{
    const char *service = endpoint_value(endpoint, "service");
    const char *hosts = endpoint_label(arena, endpoint);
    auto_text struct text label = text_init(1024);

    if (hosts[0] != '\0')
        return hosts;
    if (!names_service(endpoint))
        return "the server's own socket";
    text_add_format(&label, "the service \"%s\"", service == NULL ? env_value("PGSERVICE") : service);
    return arena_copy(arena, label.at, label.length);
}

/* What a tenant has of its own. Its schema is the session's search_path, too. */
static void take_tenant(struct endpoint *endpoint, const struct config *config)
{
    if (config->database != NULL)
        endpoint_set(endpoint, "dbname", config->database);
    if (config->user != NULL)
        endpoint_set(endpoint, "user", config->user);
    if (config->schema == NULL)
        return;
    endpoint->schema = endpoint->tenant_schema = config->schema;
    endpoint->search_path = NULL;
}

static bool complete_endpoint(struct arena *arena, struct endpoint *endpoint, const struct config *config,
                              struct error *err)
{
    bool is_service = names_service(endpoint);

    take_tenant(endpoint, config);
    if (!libpq_files_check(endpoint, is_service, err))
        return false;
    take_password(endpoint, config, is_service);
    if (!is_service && (!take_libpq_variables(endpoint, err) || !check_user(endpoint, config, err)))
        return false;
    take_role(endpoint, config);
    endpoint->label = label_of(arena, endpoint);
    redact_spare(endpoint_value(endpoint, "user"));
    redact_spare(endpoint_value(endpoint, "dbname"));
    redact_spare(endpoint_value(endpoint, "host"));
    redact_spare(endpoint->schema);
    return require_encryption(endpoint, config, is_service, err) && url_check_binding(endpoint, err) &&
           trust_check_files(arena, beside_schema(arena, config), endpoint, err) &&
           trust_find(endpoint, getenv("SSL_CERT_FILE"), err);
}

/* Where it may be said which database is meant, though nobody has asked for that file. */
static bool has_unread_file(const struct config *config)
{
    return config->env_file == NULL && file_exists(".env");
}

#define UNREAD_FILE "There is a .env here, which is read only if you say so: add --env-file .env"

static bool refuse_unset(const struct config *config, struct error *err)
{
    error_set(err, ERROR_USAGE, "no database is set");
    if (has_unread_file(config))
        return error_hint(err, UNREAD_FILE ". Or set DATABASE_URL.");
    return error_hint(err,
                      "Set DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE?schema=public, "
                      "or DATABASE_URL_FILE to a file that holds it.");
}

bool endpoint_find(struct arena *arena, const struct config *config, struct endpoint *out, struct error *err)
{
    const char *url = config->direct_url != NULL ? config->direct_url : config->database_url;

    if (url == NULL && !is_one_set(array_length(LIBPQ_NAMES)))
        return refuse_unset(config, err);
    if (url == NULL && !is_one_set(NAMES_OF_SERVERS) && has_unread_file(config))
        log_warn(
            "DATABASE_URL is not set, and no server is named: it is looked for on this machine. " UNREAD_FILE);
    if (url == NULL) {
        *out = (struct endpoint) { .connect_timeout_ms = -1, .label = "" };
        return complete_endpoint(arena, out, config, err);
    }
    if (!url_parse(arena, url, out, err))
        return error_context(err, "reading %s", config->direct_url != NULL ? "DIRECT_URL" : "DATABASE_URL");
    out->url = url;
    return complete_endpoint(arena, out, config, err);
}

bool endpoint_find_beside(const struct config *config, const char *url, struct config *beside,
                          struct endpoint *out, struct error *err)
{
    *beside = *config;
    beside->direct_url = beside->direct_url_file = beside->database_url_file = NULL;
    beside->password = beside->password_file = NULL;
    beside->password_from = PASSWORD_NOWHERE;
    beside->set_role = NULL;
    beside->is_password_first = false;
    beside->database = beside->schema = beside->user = NULL;
    beside->database_url = url;
    if (!url_parse(config->arena, url, out, err))
        return false;
    out->url = url;
    return complete_endpoint(config->arena, out, beside, err);
}

/* (libpq documentation, "Parameter Key Words", dbname.) */
const char *endpoint_database(const struct endpoint *endpoint)
{
    const char *name = endpoint_value(endpoint, "dbname");

    if (name == NULL && !names_service(endpoint))
        name = env_value("PGDATABASE");
    if (name == NULL && !names_service(endpoint))
        name = endpoint_value(endpoint, "user");
    return name;
}

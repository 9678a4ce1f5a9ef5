#include "config/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/names.h"
#include "config/url_migrate.h"
#include "config/url_parts.h"
#include "config/url_tls.h"

enum { NUMBER_DIGITS_MOST = 9 };

/* What is done with a parameter. */
enum action {
    ACTION_HOST,
    ACTION_PASS,   /* libpq's own, passed on */
    ACTION_NUMBER, /* Prisma's, without effect on migrations; must be a number */
    ACTION_IGNORE, /* Prisma's, without effect on migrations */
    ACTION_SCHEMA,
    ACTION_POOLER,
    ACTION_TIMEOUT,
    ACTION_TLS,     /* collected, then judged together */
    ACTION_MIGRATE, /* golang-migrate's, likewise */
    ACTION_FILE,    /* libpq's own, passed on unless empty */
    ACTION_REFUSE,
};

static const struct parameter {
    const char *name;
    enum action action;
    int which; /* enum url_tls_parameter, enum url_migrate_parameter */
} PARAMETERS[] = {
    { "schema", ACTION_SCHEMA, 0 },
    { "pgbouncer", ACTION_POOLER, 0 },
    { "connect_timeout", ACTION_TIMEOUT, 0 },
    { "connection_limit", ACTION_NUMBER, 0 },
    { "pool_timeout", ACTION_NUMBER, 0 },
    { "socket_timeout", ACTION_NUMBER, 0 },
    { "statement_cache_size", ACTION_NUMBER, 0 },
    { "max_connection_lifetime", ACTION_NUMBER, 0 },
    { "max_idle_connection_lifetime", ACTION_NUMBER, 0 },
    { "single_use_connections", ACTION_IGNORE, 0 },
    { "sslmode", ACTION_TLS, TLS_MODE },
    { "ssl", ACTION_TLS, TLS_SWITCH },
    { "sslaccept", ACTION_TLS, TLS_ACCEPT },
    { "sslcert", ACTION_TLS, TLS_CERT },
    { "sslidentity", ACTION_TLS, TLS_IDENTITY },
    { "sslpassword", ACTION_TLS, TLS_PASSWORD },
    { "sslrootcert", ACTION_TLS, TLS_ROOTCERT },
    { "sslkey", ACTION_TLS, TLS_KEY },
    { "host", ACTION_HOST, 0 },
    { "hostaddr", ACTION_PASS, 0 },
    { "port", ACTION_PASS, 0 },
    { "user", ACTION_PASS, 0 },
    { "password", ACTION_PASS, 0 },
    { "dbname", ACTION_PASS, 0 },
    { "passfile", ACTION_PASS, 0 },
    { "require_auth", ACTION_PASS, 0 },
    { "channel_binding", ACTION_PASS, 0 },
    { "options", ACTION_PASS, 0 },
    { "application_name", ACTION_PASS, 0 },
    { "fallback_application_name", ACTION_PASS, 0 },
    { "keepalives", ACTION_PASS, 0 },
    { "keepalives_idle", ACTION_PASS, 0 },
    { "keepalives_interval", ACTION_PASS, 0 },
    { "keepalives_count", ACTION_PASS, 0 },
    { "tcp_user_timeout", ACTION_PASS, 0 },
    { "gssencmode", ACTION_PASS, 0 },
    { "krbsrvname", ACTION_PASS, 0 },
    { "uselibpqcompat", ACTION_IGNORE, 0 }, /* node-postgres: sslmode as libpq reads it */
    { "sslcompression", ACTION_PASS, 0 },
    { "sslcertmode", ACTION_PASS, 0 },
    { "sslnegotiation", ACTION_PASS, 0 },
    { "sslcrl", ACTION_FILE, 0 },
    { "sslcrldir", ACTION_FILE, 0 },
    { "sslsni", ACTION_PASS, 0 },
    { "ssl_min_protocol_version", ACTION_PASS, 0 },
    { "ssl_max_protocol_version", ACTION_PASS, 0 },
    { "target_session_attrs", ACTION_PASS, 0 },
    { "load_balance_hosts", ACTION_PASS, 0 },
    { "search_path", ACTION_MIGRATE, MIGRATE_SEARCH_PATH },
    { "x-migrations-table", ACTION_MIGRATE, MIGRATE_TABLE },
    { "x-migrations-table-quoted", ACTION_MIGRATE, MIGRATE_TABLE_QUOTED },
    { "x-statement-timeout", ACTION_MIGRATE, MIGRATE_LIMIT },
    { "x-multi-statement", ACTION_IGNORE, 0 }, /* statements are told apart where that is needed */
    { "x-multi-statement-max-size", ACTION_IGNORE, 0 },
    { "x-lock-table", ACTION_MIGRATE, MIGRATE_LOCK_TABLE },
    { "x-lock-strategy", ACTION_IGNORE, 0 }, /* all of the tool's locks are looked at */
    { "client_encoding", ACTION_REFUSE, 0 },
    { "replication", ACTION_REFUSE, 0 },
};

void endpoint_set(struct endpoint *endpoint, const char *keyword, const char *value)
{
    for (size_t i = 0; i < endpoint->count; i++) {
        if (strcmp(endpoint->keywords[i], keyword) == 0) {
            endpoint->values[i] = value;
            return;
        }
    }
    if (endpoint->count == ENDPOINT_PARAMETERS)
        return; /* the table above has fewer rows */
    endpoint->keywords[endpoint->count] = keyword;
    endpoint->values[endpoint->count++] = value;
}

const char *endpoint_value(const struct endpoint *endpoint, const char *keyword)
{
    for (size_t i = 0; i < endpoint->count; i++) {
        if (strcmp(endpoint->keywords[i], keyword) == 0)
            return endpoint->values[i];
    }
    return NULL;
}

static bool number_parse(const char *text, int64_t *out)
{
    size_t length = strspn(text, "0123456789");
    int64_t number = 0;

    if (length == 0 || length > NUMBER_DIGITS_MOST || text[length] != '\0')
        return false;
    for (size_t i = 0; i < length; i++)
        number = number * 10 + (text[i] - '0');
    *out = number;
    return true;
}

static bool check_port(const char *port, struct error *err)
{
    int64_t number;

    if (number_parse(port, &number) && number > 0 && number < 65536)
        return true;
    return url_refuse(err, "a port must be a number from 1 to 65535",
                      "Write HOST:5432. Check that special characters in the password are percent-encoded.");
}

/* A name, an address, or a Unix socket's directory (abstract ones begin with @). */
static bool check_host(struct slice name, struct error *err)
{
    bool is_socket = name.length > 0 && (name.at[0] == '/' || name.at[0] == '@');

    for (size_t i = 0; i < name.length; i++) {
        unsigned char byte = (unsigned char)name.at[i];

        if (byte < ' ' || byte == 0x7F ||
            (!is_socket && byte < 0x80 && isalnum(byte) == 0 && strchr("-_.:%", byte) == NULL))
            return url_refuse(err, "a host contains a character that no host name has",
                              "Write HOST:5432. Check that special characters in the password are "
                              "percent-encoded.");
    }
    return true;
}

/* Adds one host, "name", "name:5432" or "[::1]:5432", to libpq's two lists. */
static bool add_host(struct arena *arena, struct slice host, struct text *hosts, struct text *ports,
                     struct error *err)
{
    struct slice name = host;
    struct slice port = { .at = "", .length = 0 };
    const char *decoded;
    const char *digits;

    if (host.length > 0 && host.at[0] == '[') {
        if (!url_split((struct slice) { host.at + 1, host.length - 1 }, ']', &name, &port) ||
            (port.length > 0 && port.at[0] != ':'))
            return url_refuse(err, "an IPv6 address needs both brackets", "Write [::1]:5432.");
        if (port.length > 0)
            port = (struct slice) { port.at + 1, port.length - 1 };
    } else {
        (void)url_split(host, ':', &name, &port);
    }
    decoded = url_decode(arena, name, false);
    digits = arena_copy(arena, port.at, port.length);
    if (decoded == NULL)
        return url_refuse(err, "the host has an invalid percent-encoding", "Write a percent sign as %25.");
    if (!check_host(slice_of(decoded), err) || (port.length > 0 && !check_port(digits, err)))
        return false;
    text_add_format(hosts, "%s%s", ports->length == 0 ? "" : ",", decoded);
    text_add_format(ports, "%s%s", ports->length == 0 ? "" : ",", port.length == 0 ? "5432" : digits);
    return true;
}

static bool add_hosts(struct arena *arena, struct slice list, struct endpoint *out, struct error *err)
{
    auto_text struct text hosts = text_init(URL_MOST);
    auto_text struct text ports = text_init(URL_MOST);
    struct slice host = list;
    bool has_more = true;

    while (has_more) {
        has_more = url_split(list, ',', &host, &list);
        host = has_more ? host : list;
        if (!add_host(arena, host, &hosts, &ports, err))
            return false;
    }
    if (hosts.length > 0)
        endpoint_set(out, "host", arena_copy(arena, hosts.at, hosts.length));
    endpoint_set(out, "port", arena_copy(arena, ports.at, ports.length));
    return true;
}

static const struct parameter *find_parameter(const char *name)
{
    for (size_t i = 0; i < array_length(PARAMETERS); i++) {
        if (strcmp(PARAMETERS[i].name, name) == 0)
            return &PARAMETERS[i];
    }
    return NULL;
}

/* A user's name and a password may contain one, and so may what libpq is handed as it is. */
static bool holds_at(struct slice key)
{
    for (size_t i = 0; i < array_length(PARAMETERS); i++) {
        if (slice_equals(key, PARAMETERS[i].name))
            return PARAMETERS[i].action == ACTION_PASS || PARAMETERS[i].action == ACTION_FILE ||
                   PARAMETERS[i].action == ACTION_HOST || PARAMETERS[i].action == ACTION_TLS;
    }
    return false;
}

/* As Prisma does, it is ignored, unless it is about TLS, which would be weaker than was asked for. Its name
 * may be the rest of a password with an unencoded "&" or "?" in it, so it is not shown. */
static bool take_unknown(const char *name, struct slice key, size_t number, struct error *err)
{
    const char *names[array_length(PARAMETERS)];
    const char *nearest;

    for (size_t i = 0; i < array_length(PARAMETERS); i++)
        names[i] = PARAMETERS[i].name;
    nearest = names_nearest(names, array_length(names), name);
    if (strncasecmp(name, "ssl", 3) == 0 || strncasecmp(name, "tls", 3) == 0) {
        url_refuse(err, "an unknown parameter is about TLS", "");
        return error_hint(err, "Write sslmode=verify-full, sslmode=require or sslmode=disable%s%s.",
                          nearest == NULL ? "" : "; the nearest known parameter is ",
                          nearest == NULL ? "" : nearest);
    }
    if (key.at[key.length] != '=')
        return url_refuse(err, "it contains a parameter that is unknown and has no value",
                          "Write NAME=VALUE; write & as %26 and ? as %3F where they belong to a password.");
    log_warn("parameter %zu of the database URL is unknown and is ignored%s%s", number,
             nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest);
    return true;
}

static bool refuse_number(const char *name, struct error *err)
{
    error_set(err, ERROR_USAGE, "the database URL is invalid: the parameter \"%s\" must be a number", name);
    error_code(err, "P1013");
    return error_hint(err, "Write digits only, or remove it.");
}

/* libpq takes an empty one for none, and goes on without what the file is for. */
static bool check_file(const char *name, const char *value, struct error *err)
{
    if (value[0] != '\0')
        return true;
    error_set(err, ERROR_USAGE, "the database URL is invalid: the parameter \"%s\" is empty", name);
    error_code(err, "P1013");
    return error_hint(err, "Write %s=FILE, or remove it.", name);
}

static bool take_hosts(const char *value, struct endpoint *out, struct error *err)
{
    struct slice list = slice_of(value);
    struct slice host = list;
    bool has_more = true;

    while (has_more) {
        has_more = url_split(list, ',', &host, &list);
        host = has_more ? host : list;
        if (!check_host(host, err))
            return false;
    }
    endpoint_set(out, "host", value);
    return true;
}

/* PostgreSQL reserves these names (documentation, "CREATE SCHEMA"); a temporary schema ends with its session.
 */
static bool check_schema(const char *name, struct error *err)
{
    if (strncmp(name, "pg_", 3) != 0 && strcmp(name, "information_schema") != 0)
        return true;
    return url_refuse(err, "its \"schema\" is one of the server's own",
                      "Write schema=public, or another name that does not begin with \"pg_\".");
}

/* Those that are judged together, when all are known. */
struct collected {
    const char *tls[TLS_PARAMETERS];
    const char *migrate[MIGRATE_PARAMETERS];
};

static bool take_parameter(const struct parameter *parameter, const char *value, struct collected *collected,
                           struct endpoint *out, struct error *err)
{
    int64_t number;

    switch (parameter->action) {
    case ACTION_HOST:
        return take_hosts(value, out, err);
    case ACTION_FILE:
        if (!check_file(parameter->name, value, err))
            return false;
        endpoint_set(out, parameter->name, value);
        return true;
    case ACTION_PASS:
        endpoint_set(out, parameter->name, value);
        return true;
    case ACTION_TLS:
        collected->tls[parameter->which] = value;
        return !url_tls_is_file((enum url_tls_parameter)parameter->which) ||
               check_file(parameter->name, value, err);
    case ACTION_MIGRATE:
        collected->migrate[parameter->which] = value;
        return true;
    case ACTION_SCHEMA:
        out->schema = value[0] == '\0' ? NULL : value;
        return check_schema(value, err);
    case ACTION_POOLER:
        out->is_pooler = strcmp(value, "true") == 0;
        return out->is_pooler || strcmp(value, "false") == 0 ||
               url_refuse(err, "the parameter \"pgbouncer\" must be true or false", "Write pgbouncer=true.");
    case ACTION_NUMBER:
        return number_parse(value, &number) || refuse_number(parameter->name, err);
    case ACTION_TIMEOUT:
        if (!number_parse(value, &number))
            return refuse_number(parameter->name, err);
        out->connect_timeout_ms = number * 1000;
        return true;
    case ACTION_IGNORE:
        return true;
    case ACTION_REFUSE:
        break;
    }
    error_set(err, ERROR_USAGE, "the database URL is invalid: the parameter \"%s\" cannot be set here",
              parameter->name);
    error_code(err, "P1013");
    return error_hint(err, "Remove it.");
}

static bool add_query(struct arena *arena, struct slice query, struct endpoint *out, struct error *err)
{
    struct collected collected = { .tls = { NULL } };
    struct slice key;
    struct slice text;

    for (size_t number = 1; url_next_parameter(&query, &key, &text); number++) {
        const char *name = url_decode(arena, key, true);
        const char *value = url_decode(arena, text, true);
        const struct parameter *parameter;

        if (name == NULL || value == NULL)
            return url_refuse(err, "a parameter has an invalid percent-encoding",
                              "Write a percent sign as %25.");
        parameter = find_parameter(name);
        if (parameter == NULL ? !take_unknown(name, key, number, err)
                              : !take_parameter(parameter, value, &collected, out, err))
            return false;
    }
    return url_take_tls(collected.tls, out, err) && url_migrate_take(arena, collected.migrate, out, err);
}

/* An address beside it is enough for libpq. */
static bool check_hosts(const struct endpoint *endpoint, struct error *err)
{
    const char *host = endpoint_value(endpoint, "host");
    const char *address = endpoint_value(endpoint, "hostaddr");

    if (address != NULL && address[0] != '\0')
        return true;
    if (host == NULL || host[0] == '\0' || host[0] == ',' || host[strlen(host) - 1] == ',' ||
        strstr(host, ",,") != NULL)
        return url_refuse(err, "a host is empty",
                          "Write postgresql://USER:PASSWORD@HOST:5432/DATABASE; for a Unix socket, add "
                          "?host=/DIRECTORY.");
    return true;
}

/* The database's name is taken literally, including percent signs, as Prisma does. */
static bool add_login(struct arena *arena, const struct url_parts *parts, struct endpoint *out,
                      struct error *err)
{
    const char *user = url_decode(arena, parts->user, false);
    const char *password = url_decode(arena, parts->password, false);

    if (user == NULL || password == NULL)
        return url_refuse(err, "the user or password has an invalid percent-encoding",
                          "Write a percent sign as %25.");
    if (user[0] != '\0')
        endpoint_set(out, "user", user);
    if (parts->has_password)
        endpoint_set(out, "password", password);
    if (!parts->has_path)
        endpoint_set(out, "dbname", "postgres");
    else if (parts->database.length > 0)
        endpoint_set(out, "dbname", arena_copy(arena, parts->database.at, parts->database.length));
    return true;
}

bool url_parse(struct arena *arena, const char *url, struct endpoint *out, struct error *err)
{
    struct url_parts parts;

    *out = (struct endpoint) { .connect_timeout_ms = -1 };
    if (!url_parts_read(url, holds_at, &parts, err) || !add_login(arena, &parts, out, err) ||
        !add_hosts(arena, parts.hosts, out, err) || !add_query(arena, parts.query, out, err) ||
        !check_hosts(out, err))
        return false;
    out->label = endpoint_label(arena, out);
    return true;
}

void url_password(struct arena *arena, const char *url, struct slice *raw, struct slice *decoded)
{
    struct url_parts parts;

    *raw = *decoded = (struct slice) { .at = "", .length = 0 };
    if (strstr(url, "://") == NULL)
        return;
    url_parts_split(url, &parts);
    if (!parts.has_password)
        return;
    *raw = parts.password;
    *decoded = slice_of(url_decode(arena, parts.password, false));
}

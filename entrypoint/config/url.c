#include "config/url.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"

enum { URL_MOST = 16 * 1024, NUMBER_DIGITS_MOST = 9 };

/* What is done with a parameter. */
enum action {
    ACTION_PASS,   /* libpq's own, passed on */
    ACTION_NUMBER, /* Prisma's, without effect on migrations; must be a number */
    ACTION_IGNORE, /* Prisma's, without effect on migrations */
    ACTION_SCHEMA,
    ACTION_POOLER,
    ACTION_TIMEOUT,
    ACTION_TLS, /* collected, then judged together */
    ACTION_REFUSE,
};

/* The parameters of a TLS connection, judged together. */
enum tls {
    TLS_MODE,
    TLS_ACCEPT,
    TLS_CERT,
    TLS_IDENTITY,
    TLS_PASSWORD,
    TLS_ROOTCERT,
    TLS_KEY,
    TLS_PARAMETERS
};

static const struct parameter {
    const char *name;
    enum action action;
    enum tls tls;
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
    { "sslaccept", ACTION_TLS, TLS_ACCEPT },
    { "sslcert", ACTION_TLS, TLS_CERT },
    { "sslidentity", ACTION_TLS, TLS_IDENTITY },
    { "sslpassword", ACTION_TLS, TLS_PASSWORD },
    { "sslrootcert", ACTION_TLS, TLS_ROOTCERT },
    { "sslkey", ACTION_TLS, TLS_KEY },
    { "host", ACTION_PASS, 0 },
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
    { "sslcompression", ACTION_PASS, 0 },
    { "sslcertmode", ACTION_PASS, 0 },
    { "sslnegotiation", ACTION_PASS, 0 },
    { "sslcrl", ACTION_PASS, 0 },
    { "sslcrldir", ACTION_PASS, 0 },
    { "sslsni", ACTION_PASS, 0 },
    { "ssl_min_protocol_version", ACTION_PASS, 0 },
    { "ssl_max_protocol_version", ACTION_PASS, 0 },
    { "target_session_attrs", ACTION_PASS, 0 },
    { "load_balance_hosts", ACTION_PASS, 0 },
    { "client_encoding", ACTION_REFUSE, 0 },
    { "replication", ACTION_REFUSE, 0 },
};

static bool refuse(struct error *err, const char *why, const char *hint)
{
    error_set(err, ERROR_USAGE, "the database URL is invalid: %s", why);
    error_code(err, "P1013");
    return error_hint(err, "%s", hint);
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Percent-decodes; with `is_form` a plus is a space, as in the query. NULL for an invalid escape or a NUL
 * byte. */
static char *decode(struct arena *arena, struct slice text, bool is_form)
{
    char *decoded = arena_alloc(arena, text.length + 1, 1);
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        char byte = text.at[i];

        if (byte == '%') {
            int high = i + 2 < text.length ? hex_digit(text.at[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.at[i + 2]) : -1;

            if (low < 0 || high * 16 + low == 0)
                return NULL;
            byte = (char)(high * 16 + low);
            i += 2;
        } else if (byte == '+' && is_form) {
            byte = ' ';
        }
        decoded[length++] = byte;
    }
    return decoded;
}

/* The parts of a URL, still encoded. */
struct parts {
    struct slice user;
    struct slice password;
    struct slice hosts;
    struct slice database;
    struct slice query;
    bool has_password;
    bool has_path;
};

static const char *find(struct slice text, char byte)
{
    return text.length == 0 ? NULL : memchr(text.at, byte, text.length);
}

/* Splits at the first `byte`; false, with nothing changed, if there is none. */
static bool split(struct slice text, char byte, struct slice *before, struct slice *after)
{
    const char *found = find(text, byte);

    if (found == NULL)
        return false;
    *before = (struct slice) { .at = text.at, .length = (size_t)(found - text.at) };
    *after = (struct slice) { .at = found + 1, .length = text.length - before->length - 1 };
    return true;
}

static void split_url(const char *url, struct parts *out)
{
    struct slice rest = slice_of(strstr(url, "://") + 3);
    struct slice credentials;
    const char *at = NULL;

    *out = (struct parts) { .query = { .at = "", .length = 0 } };
    (void)split(rest, '#', &rest, &(struct slice) { 0 });
    (void)split(rest, '?', &rest, &out->query);
    out->has_path = split(rest, '/', &rest, &out->database);
    for (const char *next = find(rest, '@'); next != NULL;) {
        at = next; /* the last one: a password may contain an unencoded @ */
        next = memchr(at + 1, '@', rest.length - (size_t)(at + 1 - rest.at));
    }
    out->hosts = rest;
    if (at == NULL)
        return;
    credentials = (struct slice) { .at = rest.at, .length = (size_t)(at - rest.at) };
    out->hosts = (struct slice) { .at = at + 1, .length = rest.length - credentials.length - 1 };
    out->user = credentials;
    out->has_password = split(credentials, ':', &out->user, &out->password);
}

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
    return refuse(err, "a port must be a number from 1 to 65535",
                  "Write HOST:5432. Check that special characters in the password are percent-encoded.");
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
        if (!split((struct slice) { host.at + 1, host.length - 1 }, ']', &name, &port) ||
            (port.length > 0 && port.at[0] != ':'))
            return refuse(err, "an IPv6 address needs both brackets", "Write [::1]:5432.");
        if (port.length > 0)
            port = (struct slice) { port.at + 1, port.length - 1 };
    } else {
        (void)split(host, ':', &name, &port);
    }
    decoded = decode(arena, name, false);
    digits = arena_copy(arena, port.at, port.length);
    if (decoded == NULL)
        return refuse(err, "the host has an invalid percent-encoding", "Write a percent sign as %25.");
    if (port.length > 0 && !check_port(digits, err))
        return false;
    text_add_format(hosts, "%s%s", hosts->length == 0 ? "" : ",", decoded[0] == '\0' ? "localhost" : decoded);
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
        has_more = split(list, ',', &host, &list);
        if (!add_host(arena, has_more ? host : list, &hosts, &ports, err))
            return false;
    }
    endpoint_set(out, "host", arena_copy(arena, hosts.at, hosts.length));
    endpoint_set(out, "port", arena_copy(arena, ports.at, ports.length));
    return true;
}

static const struct parameter *find_parameter(const char *name)
{
    const char *names[array_length(PARAMETERS)];
    const char *nearest;

    for (size_t i = 0; i < array_length(PARAMETERS); i++) {
        if (strcmp(PARAMETERS[i].name, name) == 0)
            return &PARAMETERS[i];
        names[i] = PARAMETERS[i].name;
    }
    nearest = names_nearest(names, array_length(names), name);
    log_warn("the database URL has an unknown parameter \"%s\", which is ignored%s%s", name,
             nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest);
    return NULL;
}

static bool refuse_number(const char *name, struct error *err)
{
    error_set(err, ERROR_USAGE, "the database URL is invalid: the parameter \"%s\" must be a number", name);
    error_code(err, "P1013");
    return error_hint(err, "Write digits only, or remove it.");
}

static bool take_parameter(const struct parameter *parameter, const char *value, const char **tls,
                           struct endpoint *out, struct error *err)
{
    int64_t number;

    switch (parameter->action) {
    case ACTION_PASS:
        endpoint_set(out, parameter->name, value);
        return true;
    case ACTION_TLS:
        tls[parameter->tls] = value;
        return true;
    case ACTION_SCHEMA:
        out->schema = value[0] == '\0' ? NULL : value;
        return true;
    case ACTION_POOLER:
        out->is_pooler = strcmp(value, "true") == 0;
        return out->is_pooler || strcmp(value, "false") == 0 ||
               refuse(err, "the parameter \"pgbouncer\" must be true or false", "Write pgbouncer=true.");
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

/* Prisma's sslcert is the CA, libpq's is the client's own certificate, which comes with a key. */
static bool is_prisma_tls(const char *const *tls)
{
    return tls[TLS_ACCEPT] != NULL || tls[TLS_IDENTITY] != NULL || tls[TLS_KEY] == NULL;
}

static bool take_tls(const char *const *tls, struct endpoint *out, struct error *err)
{
    const char *mode = tls[TLS_MODE] == NULL ? "prefer" : tls[TLS_MODE];
    const char *root = tls[TLS_ROOTCERT];
    const char *certificate = tls[TLS_CERT];
    bool is_strict = tls[TLS_ACCEPT] != NULL && strcmp(tls[TLS_ACCEPT], "accept_invalid_certs") != 0;

    if (tls[TLS_IDENTITY] != NULL) {
        refuse(err, "sslidentity (a PKCS#12 file) is not supported", "");
        return error_hint(err,
                          "Convert it once: openssl pkcs12 -in FILE -nodes -out client.pem. Then set "
                          "sslcert=client.pem&sslkey=client.pem, and sslrootcert for the CA.");
    }
    if (certificate != NULL && is_prisma_tls(tls)) {
        log_debug("sslcert without sslkey is used as the CA, as in Prisma");
        root = root == NULL ? certificate : root;
        certificate = NULL;
    }
    /* For Prisma, "strict" requires verification whenever TLS is used; without TLS there is nothing to
     * verify. */
    if (is_strict && (strcmp(mode, "prefer") == 0 || strcmp(mode, "require") == 0))
        mode = "verify-full";
    endpoint_set(out, "sslmode", mode);
    out->is_sslmode_standard = tls[TLS_MODE] == NULL && !is_strict;
    if (root != NULL)
        endpoint_set(out, "sslrootcert", root);
    if (certificate != NULL)
        endpoint_set(out, "sslcert", certificate);
    if (tls[TLS_KEY] != NULL)
        endpoint_set(out, "sslkey", tls[TLS_KEY]);
    if (tls[TLS_PASSWORD] != NULL)
        endpoint_set(out, "sslpassword", tls[TLS_PASSWORD]);
    return true;
}

static bool add_query(struct arena *arena, struct slice query, struct endpoint *out, struct error *err)
{
    const char *tls[TLS_PARAMETERS] = { NULL };
    struct slice pair;

    while (query.length > 0) {
        struct slice key;
        struct slice text = { .at = "", .length = 0 };
        const struct parameter *parameter;
        const char *name;
        const char *value;

        if (!split(query, '&', &pair, &query)) {
            pair = query;
            query.length = 0;
        }
        if (pair.length == 0)
            continue;
        key = pair;
        (void)split(pair, '=', &key, &text);
        name = decode(arena, key, true);
        value = decode(arena, text, true);
        if (name == NULL || value == NULL)
            return refuse(err, "a parameter has an invalid percent-encoding", "Write a percent sign as %25.");
        parameter = find_parameter(name);
        if (parameter != NULL && !take_parameter(parameter, value, tls, out, err))
            return false;
    }
    return take_tls(tls, out, err);
}

static bool check_scheme(const char *url, struct error *err)
{
    struct slice text = slice_of(url);

    if (slice_starts_with(text, "postgresql://") || slice_starts_with(text, "postgres://"))
        return true;
    if (slice_starts_with(text, "prisma://") || slice_starts_with(text, "prisma+postgres://"))
        return refuse(err, "prisma:// leads to Prisma's service, not to a database",
                      "Set DIRECT_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE.");
    return refuse(err, "it does not begin with postgresql:// or postgres://",
                  "Write postgresql://USER:PASSWORD@HOST:5432/DATABASE?schema=public");
}

static bool check_bytes(const char *url, struct error *err)
{
    if (strlen(url) > URL_MOST)
        return refuse(err, "it is longer than 16 KiB", "Check that DATABASE_URL_FILE names the right file.");
    for (const char *at = url; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            return refuse(
                err, "it contains a control character",
                "Remove line breaks from the secret; percent-encode control characters that belong to it.");
    }
    return true;
}

static const char *make_label(struct arena *arena, const struct endpoint *endpoint)
{
    auto_text struct text label = text_init(1024);
    const char *host = endpoint_value(endpoint, "host");
    const char *port = endpoint_value(endpoint, "port");

    if (host != NULL && strchr(host, ',') == NULL)
        text_add_format(&label, strchr(host, ':') == NULL ? "%s:%s" : "[%s]:%s", host,
                        port == NULL ? "5432" : port);
    else
        text_add_string(&label, host == NULL ? "the server" : host);
    return arena_copy(arena, label.at, label.length);
}

/* The database's name is taken literally, including percent signs, as Prisma does. */
static bool add_login(struct arena *arena, const struct parts *parts, struct endpoint *out, struct error *err)
{
    const char *user = decode(arena, parts->user, false);
    const char *password = decode(arena, parts->password, false);
    const char *slash = find(parts->database, '/');

    if (user == NULL || password == NULL)
        return refuse(err, "the user or password has an invalid percent-encoding",
                      "Write a percent sign as %25.");
    if (slash != NULL)
        return refuse(err, "the database's name contains a slash", "Write a slash in the password as %2F.");
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
    struct parts parts;

    *out = (struct endpoint) { .connect_timeout_ms = -1 };
    if (!check_bytes(url, err) || !check_scheme(url, err))
        return false;
    split_url(url, &parts);
    if (!add_login(arena, &parts, out, err) || !add_hosts(arena, parts.hosts, out, err) ||
        !add_query(arena, parts.query, out, err))
        return false;
    out->label = make_label(arena, out);
    return true;
}

void url_password(struct arena *arena, const char *url, struct slice *raw, struct slice *decoded)
{
    struct parts parts;

    *raw = *decoded = (struct slice) { .at = "", .length = 0 };
    if (strstr(url, "://") == NULL)
        return;
    split_url(url, &parts);
    if (!parts.has_password)
        return;
    *raw = parts.password;
    *decoded = slice_of(decode(arena, parts.password, false));
}

#include "config/url_parts.h"

#include <string.h>

bool url_refuse(struct error *err, const char *why, const char *hint)
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

char *url_decode(struct arena *arena, struct slice text, bool is_form)
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

static const char *find(struct slice text, char byte)
{
    return text.length == 0 ? NULL : memchr(text.at, byte, text.length);
}

static const char *find_last(struct slice text, char byte)
{
    return text.length == 0 ? NULL : memrchr(text.at, byte, text.length);
}

bool url_split(struct slice text, char byte, struct slice *before, struct slice *after)
{
    const char *found = find(text, byte);

    if (found == NULL)
        return false;
    *before = (struct slice) { .at = text.at, .length = (size_t)(found - text.at) };
    *after = (struct slice) { .at = found + 1, .length = text.length - before->length - 1 };
    return true;
}

bool url_next_parameter(struct slice *query, struct slice *key, struct slice *value)
{
    while (query->length > 0) {
        struct slice pair = *query;

        if (!url_split(*query, '&', &pair, query))
            query->length = 0;
        *key = pair;
        *value = (struct slice) { .at = "", .length = 0 };
        (void)url_split(pair, '=', key, value);
        if (pair.length > 0)
            return true;
    }
    return false;
}

void url_parts_split(const char *url, struct url_parts *out)
{
    struct slice rest = slice_of(strstr(url, "://") + 3);
    struct slice login;
    const char *at;

    *out = (struct url_parts) { .query = { .at = "", .length = 0 } };
    (void)url_split(rest, '#', &rest, &(struct slice) { 0 });
    (void)url_split(rest, '?', &rest, &out->query);
    out->has_path = url_split(rest, '/', &rest, &out->database);
    at = find_last(rest, '@'); /* a user's name may contain an unencoded one, as Azure's do */
    out->hosts = rest;
    if (at == NULL)
        return;
    out->has_login = true;
    login = (struct slice) { .at = rest.at, .length = (size_t)(at - rest.at) };
    out->hosts = (struct slice) { .at = at + 1, .length = rest.length - login.length - 1 };
    out->user = login;
    out->has_password = url_split(login, ':', &out->user, &out->password);
}

/* ---- what nobody can mean ---- */

static bool is_quote(char byte)
{
    return byte == '"' || byte == '\'' || byte == '`';
}

static bool check_scheme(const char *url, struct error *err)
{
    /* The last ones are golang-migrate's names of its drivers. */
    static const char *const schemes[] = { "postgresql://", "postgres://", "pgx://", "pgx4://", "pgx5://" };
    struct slice text = slice_of(url);

    if (is_quote(text.at[0]) || (text.length > 0 && is_quote(text.at[text.length - 1]) &&
                                 strstr(url, "x-migrations-table=\"") == NULL))
        return url_refuse(err, "it begins or ends with a quote",
                          "Remove the quotes around it: an --env-file and a Secret keep them.");
    for (size_t i = 0; i < array_length(schemes); i++) {
        if (slice_starts_with(text, schemes[i]))
            return true;
    }
    if (slice_starts_with(text, "prisma://") || slice_starts_with(text, "prisma+postgres://"))
        return url_refuse(err, "prisma:// leads to Prisma's service, not to a database",
                          "Set DIRECT_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE.");
    return url_refuse(err, "it does not begin with postgresql:// or postgres://",
                      "Write postgresql://USER:PASSWORD@HOST:5432/DATABASE?schema=public");
}

static bool check_bytes(const char *url, struct error *err)
{
    if (strlen(url) > URL_MOST)
        return url_refuse(err, "it is longer than 16 KiB",
                          "Check that DATABASE_URL_FILE names the right file.");
    for (const char *at = url; *at != '\0'; at++) {
        if (*at == ' ')
            return url_refuse(err, "it contains a blank",
                              "Remove blanks around it; write one that belongs to it as %20.");
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            return url_refuse(
                err, "it contains a control character",
                "Remove line breaks from the secret; percent-encode control characters that belong to it.");
    }
    return true;
}

/* The templates of shells, Compose, Kubernetes and Helm. */
static bool check_templates(const char *url, struct error *err)
{
    static const char *const marks[] = { "${", "$(", "{{" };

    for (size_t i = 0; i < array_length(marks); i++) {
        if (strstr(url, marks[i]) != NULL)
            return url_refuse(err, "a variable in it was not replaced by its value",
                              "Whatever sets the URL has to replace ${NAME}, $(NAME) or {{ NAME }}; if a "
                              "password really contains that, write $ as %24 and { as %7B.");
    }
    return true;
}

/* ---- characters that would end a password early ---- */

/* The last "@" that a URL as it is meant cannot have there: behind the hosts, but for values of parameters
 * that may hold one. */
static const char *find_stray_at(struct slice rest, url_holds_at *holds_at)
{
    struct slice before = rest;
    struct slice fragment = { .at = "", .length = 0 };
    struct slice query = { .at = "", .length = 0 };
    struct slice path = { .at = "", .length = 0 };
    struct slice key;
    struct slice value;
    const char *found = NULL;

    (void)url_split(before, '#', &before, &fragment);
    (void)url_split(before, '?', &before, &query);
    (void)url_split(before, '/', &before, &path);
    if (find_last(fragment, '@') != NULL)
        return find_last(fragment, '@');
    while (url_next_parameter(&query, &key, &value)) {
        const char *in_value = holds_at(key) ? NULL : find_last(value, '@');

        if (in_value != NULL || find(key, '@') != NULL)
            found = in_value != NULL ? in_value : find_last(key, '@');
    }
    return found != NULL ? found : find_last(path, '@');
}

static bool refuse_unencoded(struct slice password, struct error *err)
{
    static const struct {
        char byte;
        const char *encoded;
    } marks[] = { { '#', "%23" }, { '?', "%3F" }, { '/', "%2F" }, { '@', "%40" }, { ':', "%3A" } };
    auto_text struct text hint = text_init(256);

    for (size_t i = 0; i < array_length(marks); i++) {
        if (find(password, marks[i].byte) != NULL)
            text_add_format(&hint, "%s%c as %s", hint.length == 0 ? "Write " : ", ", marks[i].byte,
                            marks[i].encoded);
    }
    if (hint.length == 0)
        return true;
    text_add_string(&hint, " where it belongs to the user, the password or the database's name.");
    return url_refuse(err, "its password contains a character that has to be percent-encoded", hint.at);
}

/* With a stray "@" everything before it was meant as user and password. */
static bool check_password(const char *url, url_holds_at *holds_at, struct error *err)
{
    struct slice rest = slice_of(strstr(url, "://") + 3);
    const char *stray = find_stray_at(rest, holds_at);
    struct url_parts parts;

    url_parts_split(url, &parts);
    if (stray != NULL) {
        size_t user = strcspn(rest.at, "#?/@:");
        size_t begin = rest.at[user] == ':' ? user + 1 : 0;

        parts.password =
            (struct slice) { .at = rest.at + begin, .length = (size_t)(stray - rest.at) - begin };
    }
    return refuse_unencoded(parts.password, err);
}

/* Without a login, NAME: is the beginning of one rather than a host without its port. */
static bool check_rest(const char *url, const struct url_parts *parts, struct error *err)
{
    const char *fragment = strchr(url, '#');

    if (find(parts->query, '?') != NULL)
        return url_refuse(err, "it contains a second \"?\"",
                          "Join parameters with \"&\"; write a \"?\" that belongs to a value as %3F.");
    if (fragment != NULL && parts->query.length > 0)
        return url_refuse(err, "it contains a \"#\" behind its parameters",
                          "Write a \"#\" that belongs to a value as %23; remove what is no value.");
    if (!parts->has_login && parts->hosts.length > 0 && parts->hosts.at[parts->hosts.length - 1] == ':')
        return url_refuse(err, "a colon is followed by no port",
                          "Write HOST:5432. In the password, write # as %23, ? as %3F and / as %2F.");
    if (find(parts->database, '/') != NULL)
        return url_refuse(err, "the database's name contains a slash",
                          "Write a slash in the password as %2F.");
    if (find(parts->database, '"') != NULL || find(parts->database, '\'') != NULL)
        return url_refuse(err, "the database's name contains a quote",
                          "Remove the quotes around the URL or around its parts.");
    return true;
}

bool url_parts_read(const char *url, url_holds_at *holds_at, struct url_parts *out, struct error *err)
{
    if (!check_bytes(url, err) || !check_scheme(url, err) || !check_templates(url, err) ||
        !check_password(url, holds_at, err))
        return false;
    url_parts_split(url, out);
    return check_rest(url, out, err);
}

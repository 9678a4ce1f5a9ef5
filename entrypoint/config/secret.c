#include "config/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/log.h"
#include "config/url.h"
#include "config/url_parts.h"

bool secret_read(const char *name, const char *path, struct text *out, struct error *err)
{
    out->is_secret = true;
    if (!file_read_stream(path, out, err)) {
        error_hint(err, "Mount a file there. In Kubernetes, check that the Secret exists and has that key.");
        return error_context(err, "reading %s", name);
    }
    while (out->length > 0 && (out->at[out->length - 1] == '\n' || out->at[out->length - 1] == '\r'))
        out->at[--out->length] = '\0';
    if (out->length > 0)
        return true;
    error_set(err, ERROR_USAGE, "secret file \"%s\" is empty", path);
    error_hint(err, "Give the Secret's key a value, or unset %s.", name);
    return error_context(err, "reading %s", name);
}

void secret_register_password(struct arena *arena, const char *url)
{
    struct slice raw;
    struct slice decoded;

    url_password(arena, url, &raw, &decoded);
    redact_register(raw.at, raw.length);
    redact_register(decoded.at, decoded.length);
}

void secret_register_url(struct arena *arena, const char *url)
{
    redact_register(url, strlen(url));
    secret_register_password(arena, url);
}

static void register_encoded(struct arena *arena, struct slice text)
{
    const char *decoded = url_decode(arena, text, false);

    redact_register(text.at, text.length);
    if (decoded != NULL)
        redact_register(decoded, strlen(decoded));
}

/* "services" and "v1" are words; "T024BE7LD", "xoxb-17" and "hZrtYqLwqoek" are not. */
static bool is_token(struct slice part)
{
    enum { WITH_DIGIT_LEAST = 4, MIXED_LEAST = 8, ANY_LEAST = 20 };
    bool has_digit = false;
    bool has_lower = false;
    bool has_upper = false;

    for (size_t i = 0; i < part.length; i++) {
        has_digit |= isdigit((unsigned char)part.at[i]) != 0;
        has_lower |= islower((unsigned char)part.at[i]) != 0;
        has_upper |= i > 0 && isupper((unsigned char)part.at[i]) != 0;
    }
    return (has_digit && part.length >= WITH_DIGIT_LEAST) ||
           (has_lower && has_upper && part.length >= MIXED_LEAST) || part.length >= ANY_LEAST;
}

static void register_tokens(const char *path)
{
    struct slice part = { .at = path };

    while (part.at[0] != '\0') {
        part.at += strspn(part.at, "/?#&=");
        part.length = strcspn(part.at, "/?#&=");
        if (is_token(part))
            redact_register(part.at, part.length);
        part.at += part.length;
    }
}

void secret_register_web_address(struct arena *arena, const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host == NULL ? url : host + 3 + strcspn(host + 3, "/?#");
    const char *decoded = url_decode(arena, slice_of(path), false);

    secret_register_url(arena, url);
    if (strlen(path) <= 1)
        return;
    register_encoded(arena, slice_of(path));
    register_encoded(arena, (struct slice) { .at = path, .length = strcspn(path, "?#") });
    register_tokens(path);
    if (decoded != NULL)
        register_tokens(decoded);
}

static struct slice decoded(struct arena *arena, struct slice text)
{
    const char *plain = url_decode(arena, text, false);

    return plain == NULL ? text : slice_of(plain);
}

static void register_proxy(struct arena *arena, const char *address)
{
    const char *scheme = strstr(address, "://");
    const char *login = scheme == NULL ? address : scheme + 3;
    const char *end = strrchr(login, '@');
    struct slice user;
    struct slice password = { .at = "" };

    if (end == NULL)
        return;
    user = (struct slice) { .at = login, .length = (size_t)(end - login) };
    redact_register(address, strlen(address));
    register_encoded(arena, user);
    (void)url_split(user, ':', &user, &password);
    register_encoded(arena, password);
    redact_register_login(decoded(arena, user), decoded(arena, password));
}

void secret_register_proxies(struct arena *arena, char *const *environment)
{
    static const char *const names[] = { "http_proxy", "https_proxy", "all_proxy" };

    for (; *environment != NULL; environment++) {
        for (size_t i = 0; i < array_length(names); i++) {
            size_t length = strlen(names[i]);

            if (strncasecmp(*environment, names[i], length) == 0 && (*environment)[length] == '=')
                register_proxy(arena, *environment + length + 1);
        }
    }
}

bool secret_may_be_in(const char *text)
{
    return strstr(text, "://") != NULL || strchr(text, '@') != NULL || strcasestr(text, "password=") != NULL;
}

bool secret_check_word(const char *word, struct error *err)
{
    if (!secret_may_be_in(word))
        return true;
    error_set(err, ERROR_USAGE, "unexpected argument: a URL or a password without an option before it");
    return error_hint(err, "Set DATABASE_URL to the URL of the database.");
}

#include "config/secret.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "config/url.h"

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

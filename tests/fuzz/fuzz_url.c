/* Any text as a database URL: understood or refused, and its password is in no message, whichever way it
 * went. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/secret.h"
#include "config/url.h"

/* A secret of fewer bytes is part of any text. */
enum { SECRET_LEAST = 6 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_unsaid(const char *said, struct slice secret)
{
    if (secret.length >= SECRET_LEAST)
        require(memmem(said, strlen(said), secret.at, secret.length) == NULL);
}

/* In `said` nothing of the password may be left; without the redactor no error may quote the URL in the first
 * place. */
static void require_redacted(struct arena *arena, const char *url)
{
    struct slice raw;
    struct slice decoded;
    auto_text struct text said = text_init(strlen(url) + 64);

    url_password(arena, url, &raw, &decoded);
    require(raw.length <= strlen(url) && decoded.length <= raw.length);
    secret_register_url(arena, url);
    text_add_format(&said, "reading %s failed", url);
    redact(said.at);
    require_unsaid(said.at, raw);
    redact_clear();
}

/* What is said must be the same whatever the password is: then it is not in it, even where a word of ours
 * holds the same letters. */
static void require_same_without(struct arena *arena, const char *url, struct slice raw,
                                 const struct error *err)
{
    char *other = strcpy(arena_alloc(arena, strlen(url) + 1, 1), url);
    struct endpoint endpoint;
    struct error said = { .class = ERROR_NONE };

    if (raw.length == 0 || raw.at < url || raw.at >= url + strlen(url))
        return;
    memset(other + (raw.at - url), 'q', raw.length);
    if (url_parse(arena, other, &endpoint, &said) || strcmp(said.message, err->message) != 0) {
        require_unsaid(err->message, raw);
        require_unsaid(err->hint, raw);
    }
}

static void require_sense(const struct endpoint *endpoint)
{
    require(endpoint->count <= ENDPOINT_PARAMETERS && endpoint->label != NULL);
    for (size_t i = 0; i < endpoint->count; i++) {
        require(endpoint->keywords[i] != NULL && endpoint->values[i] != NULL);
        for (size_t j = 0; j < i; j++)
            require(strcmp(endpoint->keywords[i], endpoint->keywords[j]) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena struct arena *arena = arena_new();
    const char *url;
    struct endpoint endpoint;
    struct error err = { .class = ERROR_NONE };
    struct slice raw;
    struct slice decoded;

    if (memchr(data, '\0', size) != NULL)
        return 0;
    url = arena_copy(arena, (const char *)data, size);
    log_configure(LOG_ERROR, LOG_TEXT);
    url_password(arena, url, &raw, &decoded);
    if (url_parse(arena, url, &endpoint, &err)) {
        require_sense(&endpoint);
    } else {
        require(err.class == ERROR_USAGE && err.message[0] != '\0');
        require_same_without(arena, url, raw, &err);
    }
    require_redacted(arena, url);
    return 0;
}

#include "config/rotation.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "config/secret.h"

static bool warn(const char *path, const struct error *err)
{
    log_warn("the database URL could not be read again from \"%s\": %s", path, err->message);
    return false;
}

static bool take_over(struct endpoint *endpoint, const struct endpoint *found, const char *keyword)
{
    const char *before = endpoint_value(endpoint, keyword);
    const char *now = endpoint_value(found, keyword);

    if (now == NULL || (before != NULL && strcmp(before, now) == 0))
        return false;
    endpoint_set(endpoint, keyword, now);
    return true;
}

bool endpoint_reread(const struct config *config, struct endpoint *endpoint)
{
    const char *path = config->direct_url != NULL ? config->direct_url_file : config->database_url_file;
    auto_text struct text secret = text_init(SECRET_BYTES_MOST);
    struct endpoint found;
    struct error err;
    bool is_changed;

    if (path == NULL)
        return false;
    if (!secret_read("the file of the database URL", path, &secret, &err))
        return warn(path, &err);
    if (strcmp(secret.at, endpoint->url) == 0)
        return false;
    secret_register_url(config->arena, secret.at);
    endpoint->url = arena_copy(config->arena, secret.at, secret.length);
    if (!url_parse(config->arena, endpoint->url, &found, &err))
        return warn(path, &err);
    is_changed = take_over(endpoint, &found, "user");
    is_changed |= take_over(endpoint, &found, "password");
    if (is_changed)
        log_info("the credentials in \"%s\" have changed", path);
    return is_changed;
}

#include "credentials/rotation.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "config/secret.h"

static bool warn(const char *path, const struct error *err)
{
    log_warn("could not reread the credentials from \"%s\": %s", path, err->message);
    return false;
}

static bool say_changed(const char *path)
{
    log_info("the credentials in \"%s\" have changed", path);
    return true;
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

static bool reread_url(const struct config *config, struct endpoint *endpoint)
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
    return is_changed && say_changed(path);
}

static bool reread_password(const struct config *config, struct endpoint *endpoint)
{
    auto_text struct text secret = text_init(SECRET_BYTES_MOST);
    struct error err;

    if (config->password_file == NULL || !endpoint->is_password_apart)
        return false;
    if (!secret_read("the file of the password", config->password_file, &secret, &err))
        return warn(config->password_file, &err);
    if (strcmp(secret.at, endpoint_value(endpoint, "password")) == 0)
        return false;
    redact_register(secret.at, secret.length);
    endpoint_set(endpoint, "password", arena_copy(config->arena, secret.at, secret.length));
    return say_changed(config->password_file);
}

bool endpoint_reread(const struct config *config, struct endpoint *endpoint)
{
    bool is_changed = reread_url(config, endpoint);

    is_changed |= reread_password(config, endpoint);
    return is_changed;
}

#include "config/url_parameter.h"

#include <string.h>

#include "base/text.h"

enum { URL_MOST = 16 * 1024 };

/* The start of the parameter in the query, or NULL. */
static const char *find_parameter(const char *query, const char *name)
{
    size_t length = strlen(name);

    while (query != NULL) {
        query++;
        if (strncmp(query, name, length) == 0 && query[length] == '=')
            return query;
        query = strchr(query, '&');
    }
    return NULL;
}

const char *url_with_parameter(struct arena *arena, const char *url, const char *name, const char *value)
{
    const char *query = strchr(url, '?');
    const char *found = find_parameter(query, name);
    const char *rest = found == NULL ? "" : found + strcspn(found, "&");
    size_t kept = found == NULL ? strlen(url) : (size_t)(found - url);
    auto_text struct text out = text_init(URL_MOST);

    out.is_secret = true;
    text_add(&out, url, kept);
    if (found == NULL)
        text_add(&out, query == NULL ? "?" : "&", 1);
    text_add_format(&out, "%s=%s%s", name, value, rest);
    return arena_copy(arena, out.at, out.length);
}

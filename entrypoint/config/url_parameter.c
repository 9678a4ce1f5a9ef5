#include "config/url_parameter.h"

#include <string.h>

#include "base/text.h"
#include "config/url_parts.h"

/* Keys may be percent-encoded. */
static bool is_named(struct arena *arena, struct slice pair, const char *name)
{
    struct slice key = pair;
    const char *decoded;

    (void)url_split(pair, '=', &key, &(struct slice) { 0 });
    decoded = url_decode(arena, key, true);
    return decoded != NULL && strcmp(decoded, name) == 0;
}

static void add_pair(struct text *query, struct slice pair)
{
    if (query->length > 0)
        text_add(query, "&", 1);
    text_add(query, pair.at, pair.length);
}

bool url_has_parameter(struct arena *arena, const char *url, const char *name)
{
    struct slice before = { .at = url, .length = strcspn(url, "#") };
    struct slice query = { .at = "", .length = 0 };
    bool is_found = false;

    (void)url_split(before, '?', &before, &query);
    while (query.length > 0 && !is_found) {
        struct slice pair = query;

        if (!url_split(query, '&', &pair, &query))
            query.length = 0;
        is_found = is_named(arena, pair, name);
    }
    return is_found;
}

const char *url_with_parameter(struct arena *arena, const char *url, const char *pair)
{
    const char *fragment = url + strcspn(url, "#");
    struct slice before = { .at = url, .length = (size_t)(fragment - url) };
    struct slice name = slice_of(pair);
    struct slice query = { .at = "", .length = 0 };
    auto_text struct text changed = text_init(URL_MOST);
    auto_text struct text out = text_init((size_t)2 * URL_MOST);
    bool is_set = false;

    changed.is_secret = out.is_secret = true;
    (void)url_split(slice_of(pair), '=', &name, &(struct slice) { 0 });
    (void)url_split(before, '?', &before, &query);
    while (query.length > 0) {
        struct slice old = query;
        bool is_it;

        if (!url_split(query, '&', &old, &query))
            query.length = 0;
        is_it = is_named(arena, old, arena_copy(arena, name.at, name.length));
        if (!is_it || !is_set)
            add_pair(&changed, is_it ? slice_of(pair) : old);
        is_set |= is_it;
    }
    if (!is_set)
        add_pair(&changed, slice_of(pair));
    text_add(&out, before.at, before.length);
    text_add_format(&out, "?%s%s", changed.at, fragment);
    return arena_copy(arena, out.at, out.length);
}

#include "config/labels.h"

#include <string.h>

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    /* Two underscores are Prometheus' own. */
    return name.length > 0 && !slice_starts_with(name, "__");
}

static bool parse_one(struct slice text, struct label *out, struct error *err)
{
    const char *equals = memchr(text.at, '=', text.length);

    if (equals != NULL) {
        *out = (struct label) { .name = { text.at, (size_t)(equals - text.at) },
                                .value = { equals + 1, text.length - (size_t)(equals + 1 - text.at) } };
        if (is_name(out->name))
            return true;
    }
    error_set(err, ERROR_USAGE, "\"%.*s\" is not a label of metrics", (int)text.length, text.at);
    return error_hint(err,
                      "Write name=value, separated by commas; a name consists of letters, digits and \"_\".");
}

const struct label *labels_find(const struct labels *labels, struct slice name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (slice_is_same(labels->items[i].name, name))
            return &labels->items[i];
    }
    return NULL;
}

void labels_add(struct labels *labels, const char *name, const char *value)
{
    if (labels_find(labels, slice_of(name)) == NULL)
        labels->items[labels->count++] = (struct label) { slice_of(name), slice_of(value) };
}

bool labels_parse(const char *text, struct labels *out, struct error *err)
{
    *out = (struct labels) { .count = 0 };
    if (text != NULL && strlen(text) > LABELS_BYTES_MOST)
        return error_set(err, ERROR_USAGE, "the labels are longer than %d bytes", LABELS_BYTES_MOST);
    for (; text != NULL && *text != '\0'; text += *text == ',') {
        size_t length = strcspn(text, ",");
        struct label label = { .name = slice_of("") };

        if (!parse_one(slice_trim((struct slice) { text, length }), &label, err))
            return false;
        if (labels_find(out, label.name) != NULL)
            return error_set(err, ERROR_USAGE, "the label \"%.*s\" is given twice", (int)label.name.length,
                             label.name.at);
        if (out->count >= LABELS_MOST)
            return error_set(err, ERROR_USAGE, "there can be at most %d labels", LABELS_MOST);
        out->items[out->count++] = label;
        text += length;
    }
    return true;
}

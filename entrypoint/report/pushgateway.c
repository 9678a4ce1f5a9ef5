#include "report/pushgateway.h"

#include <string.h>

#include "base/base64.h"
#include "config/labels.h"
#include "http/request.h"

/* RFC 4648, section 5, with its padding; padding alone stands for nothing. */
static void add_base64(struct slice value, struct text *out)
{
    base64_add(value, true, out);
    if (value.length == 0)
        text_add_string(out, "=");
}

static void add_label(const struct label *label, struct text *out)
{
    /* A path that contains "." or ".." would be normalized on its way. */
    bool is_encoded = label->value.length == 0 || memchr(label->value.at, '/', label->value.length) != NULL ||
                      slice_equals(label->value, ".") || slice_equals(label->value, "..");

    text_add_format(out, "/%.*s%s/", (int)label->name.length, label->name.at, is_encoded ? "@base64" : "");
    if (is_encoded)
        add_base64(label->value, out);
    else
        http_add_escaped(label->value, out);
}

bool pushgateway_url(const char *origin, const char *labels, const char *namespace, struct text *out,
                     struct error *err)
{
    struct labels group;
    size_t length = strlen(origin);
    const struct label standard = { .name = slice_of("job"), .value = slice_of("tidelock") };
    const struct label place = { .name = slice_of("namespace"), .value = slice_of(namespace) };
    const struct label *job;

    if (!labels_parse(labels, &group, err))
        return false;
    if (strpbrk(origin, "?#") != NULL)
        return error_set(err, ERROR_USAGE, "the URL of a Pushgateway cannot contain \"?\" or \"#\"");
    job = labels_find(&group, slice_of("job"));
    if (job != NULL && job->value.length == 0)
        return error_set(err, ERROR_USAGE, "the label \"job\" of a Pushgateway group cannot be empty");
    while (length > 0 && origin[length - 1] == '/')
        length--;
    text_add_format(out, "%.*s/metrics", (int)length, origin);
    /* It comes first. */
    add_label(job == NULL ? &standard : job, out);
    if (namespace != NULL && labels_find(&group, slice_of("namespace")) == NULL)
        add_label(&place, out);
    for (size_t i = 0; i < group.count; i++) {
        if (!slice_equals(group.items[i].name, "job"))
            add_label(&group.items[i], out);
    }
    return !out->has_overflowed ||
           error_set(err, ERROR_USAGE, "the labels of a Pushgateway group are too long");
}

#include "report/pushgateway.h"

#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "http/request.h"

enum { LABELS_MOST = 16 };

struct label {
    struct slice name;
    struct slice value;
};

static bool is_label_name(struct slice name)
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

static bool read_label(struct slice text, struct label *out, struct error *err)
{
    const char *equals = memchr(text.at, '=', text.length);

    if (equals != NULL) {
        *out = (struct label) { .name = { text.at, (size_t)(equals - text.at) },
                                .value = { equals + 1, text.length - (size_t)(equals + 1 - text.at) } };
        if (is_label_name(out->name))
            return true;
    }
    error_set(err, ERROR_USAGE, "\"%.*s\" is not a valid label for a Pushgateway group", (int)text.length,
              text.at);
    return error_hint(err,
                      "Write name=value, separated by commas; a name consists of letters, digits and \"_\".");
}

static const struct label *find(const struct label *labels, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_is_same(labels[i].name, name))
            return &labels[i];
    }
    return NULL;
}

static bool read_labels(const char *text, struct label *out, size_t *count, struct error *err)
{
    for (*count = 0; text != NULL && *text != '\0'; text += *text == ',') {
        size_t length = strcspn(text, ",");
        struct label *label = &out[*count];

        if (*count >= LABELS_MOST)
            return error_set(err, ERROR_USAGE, "a Pushgateway group can have at most %d labels", LABELS_MOST);
        if (!read_label(slice_trim((struct slice) { text, length }), label, err))
            return false;
        if (find(out, *count, label->name) != NULL)
            return error_set(err, ERROR_USAGE, "the Pushgateway group has the label \"%.*s\" twice",
                             (int)label->name.length, label->name.at);
        ++*count;
        text += length;
    }
    return true;
}

bool pushgateway_url(const char *origin, const char *labels, const char *namespace, struct text *out,
                     struct error *err)
{
    struct label list[LABELS_MOST] = { { .name = { .at = "" } } };
    size_t count;
    size_t length = strlen(origin);
    const struct label standard = { .name = slice_of("job"), .value = slice_of("tidelock") };
    const struct label place = { .name = slice_of("namespace"), .value = slice_of(namespace) };
    const struct label *job;

    if (!read_labels(labels, list, &count, err))
        return false;
    if (strpbrk(origin, "?#") != NULL)
        return error_set(err, ERROR_USAGE, "the URL of a Pushgateway cannot contain \"?\" or \"#\"");
    job = find(list, count, slice_of("job"));
    if (job != NULL && job->value.length == 0)
        return error_set(err, ERROR_USAGE, "the label \"job\" of a Pushgateway group cannot be empty");
    while (length > 0 && origin[length - 1] == '/')
        length--;
    text_add_format(out, "%.*s/metrics", (int)length, origin);
    /* It comes first. */
    add_label(job == NULL ? &standard : job, out);
    if (namespace != NULL && find(list, count, slice_of("namespace")) == NULL)
        add_label(&place, out);
    for (size_t i = 0; i < count; i++) {
        if (!slice_equals(list[i].name, "job"))
            add_label(&list[i], out);
    }
    return !out->has_overflowed ||
           error_set(err, ERROR_USAGE, "the labels of a Pushgateway group are too long");
}

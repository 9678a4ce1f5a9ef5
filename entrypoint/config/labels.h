/*
 * Labels of metrics, as an option has them: name=value, with commas in between. Pure.
 */
#ifndef CONFIG_LABELS_H
#define CONFIG_LABELS_H

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

struct label {
    struct slice name;
    struct slice value;
};

enum { LABELS_MOST = 16, LABELS_OURS = 2, LABELS_BYTES_MOST = 1024 };

struct labels {
    struct label items[LABELS_MOST + LABELS_OURS];
    size_t count;
};

/* Parses `text`, which must outlive `out`; NULL and an empty one hold none. ERROR_USAGE. */
must_use bool labels_parse(const char *text, struct labels *out, struct error *err);

/* Adds one of ours, unless it has one of that name; at most LABELS_OURS of these. */
void labels_add(struct labels *labels, const char *name, const char *value);

/* The one of that name, or NULL. */
const struct label *labels_find(const struct labels *labels, struct slice name);

#endif

/*
 * tidelock.yaml: a flat mapping of option to value. The only file that talks to libyaml.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* One "key: value", in the arena. */
struct yaml_pair {
    const char *key;
    const char *value;
    size_t line; /* from 1 */
};

struct yaml_pairs {
    struct yaml_pair *items;
    size_t count;
};

/* Reads the text of a file called `path`. ERROR_USAGE with file:line:column for anything but a flat mapping
 * of plain values, for a key given twice, and for syntax errors in libyaml's words. An empty document gives
 * no pairs. */
must_use bool yaml_read(struct arena *arena, const char *path, struct slice text, struct yaml_pairs *out,
                        struct error *err);

#endif

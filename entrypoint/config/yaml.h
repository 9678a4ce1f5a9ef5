/*
 * tidelock.yaml, a flat mapping of option to value, and lists of such mappings. The only file that talks to
 * libyaml.
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
    size_t line; /* of the key, from 1 */
    size_t column;
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

/* Several mappings, in the order of the text. */
struct yaml_list {
    struct yaml_pairs *items;
    size_t count;
};

/* Reads a list of flat mappings, which may be the value of the only key of a mapping: `heading`. In it, null
 * is the empty text. The same errors, with `hint`; and one beyond `most` mappings. */
struct yaml_list_request {
    const char *path;
    struct slice text;
    const char *heading;
    const char *hint;
    size_t most;
};
must_use bool yaml_read_list(struct arena *arena, const struct yaml_list_request *request,
                             struct yaml_list *out, struct error *err);

#endif

/*
 * The levels that the configuration gives to rules, in place of their own. Pure.
 */
#ifndef SCHEMA_RULE_LEVELS_H
#define SCHEMA_RULE_LEVELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "schema/effect.h"

enum { RULE_LEVELS_MOST = 256 };

/* Begins zeroed: every rule has its own. */
struct rule_levels {
    struct {
        const struct rule *rule; /* of rows that differ by version, the first */
        enum level level;
    } items[RULE_LEVELS_MOST];
    size_t count;
};

/* Reads "create-index=careful,drop-column=safe"; NULL and an empty text hold none. ERROR_USAGE, with `origin`
 * and the nearest name, for a rule or a level that does not exist, and for a rule that is given twice. */
must_use bool rule_levels_read(const char *text, const char *origin, struct rule_levels *out,
                               struct error *err);

/* Whether a rule has another level, and which. */
bool rule_levels_find(const struct rule_levels *levels, const struct rule *rule, enum level *out);

#endif

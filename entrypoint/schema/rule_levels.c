#include "schema/rule_levels.h"

#include <string.h>

#include "base/memory.h"
#include "base/names.h"

static bool refuse(const char *origin, struct slice word, const char *wanted, struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s: \"%.*s\" is no %s", origin, (int)word.length, word.at, wanted);
}

static bool refuse_rule(const char *origin, struct slice word, struct error *err)
{
    auto_free char *given = memory_copy(word.at, word.length);
    const char *names[RULE_LEVELS_MOST];
    const char *nearest;
    size_t count = 0;

    for (const struct rule *rule = effect_next(NULL); rule != NULL && count < RULE_LEVELS_MOST;
         rule = effect_next(rule))
        names[count++] = rule->name;
    (void)refuse(origin, word, "rule", err);
    nearest = names_nearest(names, count, given);
    if (nearest != NULL)
        return error_hint(err, "Did you mean \"%s\"? To see all: tidelock plan --rules", nearest);
    return error_hint(err, "To see all rules: tidelock plan --rules");
}

/* Of rows that differ by version, the first. */
static const struct rule *rule_of(struct slice name)
{
    const struct rule *rule = effect_next(NULL);

    while (rule != NULL && !slice_equals(name, rule->name))
        rule = effect_next(rule);
    return rule;
}

static bool read_one(const char *origin, struct slice pair, struct rule_levels *out, struct error *err)
{
    const char *sign = memchr(pair.at, '=', pair.length);
    size_t length = sign == NULL ? pair.length : (size_t)(sign - pair.at);
    struct slice name = slice_trim((struct slice) { .at = pair.at, .length = length });
    struct slice word = { .at = "", .length = 0 };
    const struct rule *rule = rule_of(name);
    enum level level;
    int found;

    if (rule == NULL)
        return refuse_rule(origin, name, err);
    if (sign != NULL)
        word = slice_trim((struct slice) { .at = sign + 1, .length = pair.length - length - 1 });
    found = names_find(LEVEL_NAMES, LEVELS, word);
    if (found < 0 || found == LEVEL_UNKNOWN) {
        (void)refuse(origin, word, "level", err);
        return error_hint(err, "Write %s=safe, =careful or =dangerous.", rule->name);
    }
    if (rule_levels_find(out, rule, &level)) {
        error_set(err, ERROR_USAGE, "%s names \"%s\" twice", origin, rule->name);
        return error_hint(err, "Remove one of them.");
    }
    out->items[out->count].rule = rule;
    out->items[out->count++].level = (enum level)found;
    return true;
}

bool rule_levels_read(const char *text, const char *origin, struct rule_levels *out, struct error *err)
{
    *out = (struct rule_levels) { .count = 0 };
    if (text == NULL || text[0] == '\0')
        return true;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");

        /* There are fewer rules than that, and none is taken twice. */
        if (!read_one(origin, (struct slice) { .at = at, .length = length }, out, err))
            return false;
        at += length;
        if (*at == '\0')
            return true;
    }
}

bool rule_levels_find(const struct rule_levels *levels, const struct rule *rule, enum level *out)
{
    for (size_t i = 0; i < levels->count; i++) {
        if (strcmp(levels->items[i].rule->name, rule->name) != 0)
            continue;
        *out = levels->items[i].level;
        return true;
    }
    return false;
}

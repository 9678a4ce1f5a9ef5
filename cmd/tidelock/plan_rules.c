#include "plan.h"
#include "print.h"
#include "wrap.h"

enum { TEXT_MOST = 4096, INDENT = 12 };

static struct json *rule_json(const struct rule *rule)
{
    struct json *row = json_new_object();

    json_set_text(row, "rule", rule->name);
    json_set_text(row, "level", LEVEL_NAMES[rule->level]);
    json_set_number(row, "since", rule->since);
    json_set_number(row, "until", rule->until);
    json_set_text(row, "lock", rule->lock == TABLE_LOCK_NONE ? NULL : TABLE_LOCK_NAMES[rule->lock]);
    json_set_text(row, "other_lock",
                  rule->other_lock == TABLE_LOCK_NONE ? NULL : TABLE_LOCK_NAMES[rule->other_lock]);
    json_set_text(row, "work", WORK_NAMES[rule->work]);
    json_set_bool(row, "old_code_may_fail", rule->breaks_old_code);
    json_set_bool(row, "can_be_undone", !rule->is_final);
    json_set_text(row, "reason", rule->reason);
    json_set_text(row, "cure", rule->cure);
    json_set_text(row, "example", rule->example[0] == '\0' ? NULL : rule->example);
    json_set_text(row, "source", rule->source);
    return row;
}

struct json *rules_json(void)
{
    struct json *rows = json_new_array();

    for (const struct rule *rule = effect_next(NULL); rule != NULL; rule = effect_next(rule))
        json_append(rows, rule_json(rule));
    return rows;
}

static void add_part(struct text *out, const char *label, const char *words)
{
    if (words == NULL || words[0] == '\0')
        return;
    text_add_format(out, "  %-*s", INDENT - 2, label);
    wrap(out, words, INDENT, INDENT);
}

void rules_print(void)
{
    for (const struct rule *rule = effect_next(NULL); rule != NULL; rule = effect_next(rule)) {
        auto_text struct text out = text_init(TEXT_MOST);

        text_add_format(&out, "%s%s: %s, %s%s%s\n", rule == RULES ? "" : "\n", rule->name,
                        LEVEL_NAMES[rule->level], WORK_NAMES[rule->work],
                        rule->lock == TABLE_LOCK_NONE ? "" : ", ", TABLE_LOCK_NAMES[rule->lock]);
        add_part(&out, "why", rule->reason);
        add_part(&out, "how", rule->cure);
        add_part(&out, "example", rule->example);
        add_part(&out, "old code", rule->breaks_old_code ? "may fail" : "");
        add_part(&out, "undo", rule->is_final ? "what is gone, or was added, stays so" : "");
        print_text(out.at);
    }
}

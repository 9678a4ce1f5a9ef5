#include "schema/effect.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sql/quote.h"
#include "sql/scan.h"

const char *const TABLE_LOCK_NAMES[] = {
    [TABLE_LOCK_NONE] = "",
    [TABLE_LOCK_ACCESS_SHARE] = "AccessShareLock",
    [TABLE_LOCK_ROW_SHARE] = "RowShareLock",
    [TABLE_LOCK_ROW_EXCLUSIVE] = "RowExclusiveLock",
    [TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE] = "ShareUpdateExclusiveLock",
    [TABLE_LOCK_SHARE] = "ShareLock",
    [TABLE_LOCK_SHARE_ROW_EXCLUSIVE] = "ShareRowExclusiveLock",
    [TABLE_LOCK_EXCLUSIVE] = "ExclusiveLock",
    [TABLE_LOCK_ACCESS_EXCLUSIVE] = "AccessExclusiveLock",
};
_Static_assert(array_length(TABLE_LOCK_NAMES) == TABLE_LOCKS, "name every lock");

const char *const TABLE_LOCK_WAITS[] = {
    [TABLE_LOCK_NONE] = "",
    [TABLE_LOCK_ACCESS_SHARE] = "",
    [TABLE_LOCK_ROW_SHARE] = "",
    [TABLE_LOCK_ROW_EXCLUSIVE] = "",
    [TABLE_LOCK_SHARE_UPDATE_EXCLUSIVE] = "other schema changes and VACUUM wait",
    [TABLE_LOCK_SHARE] = "writes wait",
    [TABLE_LOCK_SHARE_ROW_EXCLUSIVE] = "writes wait",
    [TABLE_LOCK_EXCLUSIVE] = "writes wait",
    [TABLE_LOCK_ACCESS_EXCLUSIVE] = "reads and writes wait",
};
_Static_assert(array_length(TABLE_LOCK_WAITS) == TABLE_LOCKS, "say it of every lock");

const char *const WORK_NAMES[] = {
    [WORK_INSTANT] = "instant",
    [WORK_SCAN] = "scan",
    [WORK_INDEX] = "index build",
    [WORK_REWRITE] = "rewrite",
};
_Static_assert(array_length(WORK_NAMES) == WORKS, "name every work");

const char *const LEVEL_NAMES[] = {
    [LEVEL_SAFE] = "safe",
    [LEVEL_CAREFUL] = "careful",
    [LEVEL_UNKNOWN] = "unknown",
    [LEVEL_DANGEROUS] = "dangerous",
};
_Static_assert(array_length(LEVEL_NAMES) == LEVELS, "name every level");

/* Those that no single change leads to. */
static const struct rule *const FURTHER_RULES[] = {
    &RULE_NOT_UNDERSTOOD,  &RULE_NEW_TABLE, &RULE_VALIDATED_TOO_SOON, &RULE_ROWS_UNDER_LOCK,
    &RULE_UNUSED_ALLOW,    &RULE_DIFFERS,   &RULE_REHEARSAL_FAILED,   &RULE_NOT_REHEARSED,
    &RULE_NOT_NULL_PROVEN, &RULE_BACKFILL,  &RULE_QUERY_UNDER_LOCK,   &RULE_IN_TRANSACTION,
};

static bool rule_applies(const struct rule *rule, const struct change *change, int major)
{
    if (major != 0 && (major < rule->since || (rule->until != 0 && major > rule->until)))
        return false;
    return rule->action == change->action && (change->traits & rule->with) == rule->with &&
           (change->traits & rule->without) == 0;
}

/* Rows that differ by version have one name: the worse comes first. */
static bool is_found(const struct rule *const *found, size_t count, const struct rule *rule)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i]->name, rule->name) == 0)
            return true;
    }
    return false;
}

size_t effect_find(const struct change *change, int major, const struct rule *found[RULES_OF_CHANGE_MOST])
{
    size_t count = 0;

    for (const struct rule *rule = RULES; rule->name != NULL && count < RULES_OF_CHANGE_MOST; rule++) {
        if (rule_applies(rule, change, major) && (!rule->otherwise || count == 0) &&
            !is_found(found, count, rule))
            found[count++] = rule;
    }
    if (count == 0)
        found[count++] = effect_named("not-known");
    return count;
}

const struct rule *effect_next(const struct rule *rule)
{
    size_t further = 0;

    if (rule == NULL)
        return RULES;
    for (size_t i = 0; i < array_length(FURTHER_RULES); i++) {
        if (FURTHER_RULES[i] == rule)
            further = i + 1;
    }
    if (further == 0 && rule[1].name != NULL)
        return rule + 1;
    return further < array_length(FURTHER_RULES) ? FURTHER_RULES[further] : NULL;
}

const struct rule *effect_named(const char *name)
{
    const struct rule *rule = effect_next(NULL);

    while (rule != NULL && (rule->name == NULL || strcmp(rule->name, name) != 0))
        rule = effect_next(rule);
    return rule;
}

/* A part of the script on one line. */
static void add_flat(struct slice part, struct text *out)
{
    bool is_blank = false;

    part = slice_trim(part);
    for (size_t i = 0; i < part.length; i++) {
        if (strchr(" \t\r\n\v\f", part.at[i]) != NULL) {
            is_blank = true;
            continue;
        }
        if (is_blank)
            text_add(out, " ", 1);
        is_blank = false;
        text_add(out, &part.at[i], 1);
    }
}

static bool is_kind_of_object(const struct scanner *scanner, struct token token)
{
    static const char *const words[] = { "INDEX", "TABLE", "SCHEMA", "DATABASE", "VIEW" };

    for (size_t i = 0; i < array_length(words); i++) {
        if (scanner_is_word(scanner, token, words[i]))
            return true;
    }
    return false;
}

/* The statement with CONCURRENTLY behind the kind of object. */
static void add_concurrently(struct slice statement, struct text *out)
{
    struct scanner scanner = scanner_of(statement, true);
    struct token token;

    do
        token = scan_token(&scanner);
    while (token.kind != TOKEN_END && !is_kind_of_object(&scanner, token));
    add_flat((struct slice) { .at = statement.at, .length = token.end }, out);
    text_add_string(out, " CONCURRENTLY ");
    add_flat((struct slice) { .at = statement.at + token.end, .length = statement.length - token.end }, out);
}

static void add_name(const char *schema, const char *name, struct text *out)
{
    if (name[0] == '\0')
        text_add_string(out, "…");
    else
        quote_qualified(schema, name, out);
}

static void add_hole(struct slice hole, const struct change *change, struct slice statement, struct text *out)
{
    struct slice definition = { .at = statement.at + change->start, .length = change->end - change->start };

    if (slice_equals(hole, "table"))
        add_name(change->table.schema, change->table.name, out);
    else if (slice_equals(hole, "other"))
        add_name(change->other.schema, change->other.name, out);
    else if (slice_equals(hole, "object"))
        add_name("", change->object, out);
    else if (slice_equals(hole, "word"))
        text_add_string(out, change->word);
    else if (slice_equals(hole, "constraint")) {
        char name[IDENTIFIER_SIZE];

        (void)snprintf(name, sizeof name, "%.50s_not_null", change->object);
        add_name("", name, out);
    } else if (slice_equals(hole, "definition"))
        add_flat(definition, out);
    else
        add_concurrently(statement, out);
}

void effect_add_filled(const char *template, const struct change *change, struct slice statement,
                       struct text *out)
{
    while (*template != '\0') {
        size_t plain = strcspn(template, "{");
        size_t hole;

        text_add(out, template, plain);
        template += plain;
        if (*template == '\0')
            return;
        hole = strcspn(template, "}");
        add_hole((struct slice) { .at = template + 1, .length = hole - 1 }, change, statement, out);
        template += hole + 1;
    }
}

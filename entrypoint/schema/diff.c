#include "schema/diff.h"

#include <fnmatch.h>
#include <string.h>

enum { LINE_MOST = 64 * 1024 };

static int compare(const struct fact *one, const struct fact *other)
{
    int order = strcmp(one->kind, other->kind);

    return order == 0 ? strcmp(one->name, other->name) : order;
}

static void add(struct arena *arena, struct diff *diff, const struct fact *from, const struct fact *to)
{
    diff->items = arena_grow(arena, diff->items, diff->count, &diff->capacity, sizeof *diff->items);
    diff->items[diff->count++] = (struct difference) { .from = from, .to = to };
}

void diff_facts(struct arena *arena, const struct facts *from, const struct facts *to, struct diff *out)
{
    size_t i = 0;
    size_t j = 0;

    *out = (struct diff) { .count = 0 };
    while (i < from->count || j < to->count) {
        int order = i == from->count ? 1 : j == to->count ? -1 : compare(&from->items[i], &to->items[j]);

        if (order < 0)
            add(arena, out, &from->items[i++], NULL);
        else if (order > 0)
            add(arena, out, NULL, &to->items[j++]);
        else {
            if (strcmp(from->items[i].definition, to->items[j].definition) != 0)
                add(arena, out, &from->items[i], &to->items[j]);
            i++;
            j++;
        }
    }
}

const struct fact *diff_fact(const struct difference *difference)
{
    return difference->from == NULL ? difference->to : difference->from;
}

const char *diff_change(const struct difference *difference)
{
    return difference->from == NULL ? "added" : difference->to == NULL ? "removed" : "changed";
}

static bool fits(const struct fact *fact, struct slice pattern)
{
    auto_text struct text wanted = text_init(LINE_MOST);
    auto_text struct text whole = text_init(LINE_MOST);

    if (slice_equals(pattern, fact->kind))
        return true;
    text_add(&wanted, pattern.at, pattern.length);
    text_add_format(&whole, "%s %s", fact->kind, fact->name);
    return fnmatch(wanted.at, whole.at, 0) == 0;
}

static bool fits_any(const struct fact *fact, const char *patterns)
{
    while (*patterns != '\0') {
        size_t length = strcspn(patterns, ",");

        if (fits(fact, slice_trim((struct slice) { .at = patterns, .length = length })))
            return true;
        patterns += length;
        patterns += strspn(patterns, ",");
    }
    return false;
}

static void take_out(struct facts *facts, bool (*is_out)(const struct fact *fact, const char *what),
                     const char *what)
{
    size_t kept = 0;

    for (size_t i = 0; i < facts->count; i++) {
        if (!is_out(&facts->items[i], what))
            facts->items[kept++] = facts->items[i];
    }
    facts->count = kept;
}

void facts_ignore(struct facts *facts, const char *patterns)
{
    if (patterns != NULL)
        take_out(facts, fits_any, patterns);
}

/* "owner schema app", "schema app"; "table app.t", "grant table app.t to public" */
static bool is_of_schema(const struct fact *fact, const char *schema)
{
    auto_text struct text whole = text_init(LINE_MOST);
    auto_text struct text itself = text_init(LINE_MOST);
    auto_text struct text within = text_init(LINE_MOST);

    text_add_format(&whole, " %s %s ", fact->kind, fact->name);
    text_add_format(&itself, " schema %s ", schema);
    text_add_format(&within, " %s.", schema);
    return strstr(whole.at, itself.at) != NULL || strstr(whole.at, within.at) != NULL;
}

void facts_leave_out_schema(struct facts *facts, const char *schema)
{
    take_out(facts, is_of_schema, schema);
}

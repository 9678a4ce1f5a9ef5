#include "schema/script_change.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_split.h"

void change_list_add(struct arena *arena, struct change_list *list, struct change *change)
{
    list->items = arena_grow(arena, list->items, list->count, &list->capacity, sizeof(struct change *));
    list->items[list->count++] = change;
}

void delta_refuse(struct delta *delta, const struct change *change, const char *reason)
{
    struct script_result *result = delta->result;

    result->refusals = arena_grow(delta->arena, result->refusals, result->refusal_count,
                                  &result->refusal_capacity, sizeof *result->refusals);
    result->refusals[result->refusal_count++] =
        (struct script_refusal) { .kind = change->kind->name, .name = change->name, .reason = reason };
}

void delta_note(struct delta *delta, const char *format, ...)
{
    auto_text struct text note = text_init(SIZE_MAX);
    struct text *out = &delta->result->script;
    va_list arguments;

    va_start(arguments, format);
    text_add_format_list(&note, format, arguments);
    va_end(arguments);
    text_add_string(out, "-- ");
    text_add_shown_line(out, note.at);
    text_add_string(out, "\n");
}

static const struct change_kind *kind_find(const char *name)
{
    for (const struct change_kind *kind = CHANGE_KINDS; kind->name != NULL; kind++) {
        if (strcmp(kind->name, name) == 0)
            return kind;
    }
    return NULL;
}

static int compare_facts(const struct fact *one, const struct fact *other)
{
    int order = strcmp(one->kind, other->kind);

    return order == 0 ? strcmp(one->name, other->name) : order;
}

/* Adds a fact of one side, or of both. */
static void add_change(struct delta *delta, const struct fact *fact, const struct fact *from,
                       const struct fact *to)
{
    struct change *change = &delta->changes[delta->count];
    const struct change_kind unknown = { .name = fact->kind };

    change->kind = kind_find(fact->kind);
    change->name = fact->name;
    change->definitions[SIDE_FROM] = from == NULL ? NULL : from->definition;
    change->definitions[SIDE_TO] = to == NULL ? NULL : to->definition;
    if (change->kind != NULL) {
        delta->count++;
        return;
    }
    change->kind = &unknown;
    if (from == NULL || to == NULL || strcmp(from->definition, to->definition) != 0)
        delta_refuse(delta, change, "no statement is known for this kind");
    *change = (struct change) { .kind = NULL };
}

static void pair(struct delta *delta, const struct facts *from, const struct facts *to)
{
    size_t i = 0;
    size_t j = 0;

    delta->changes = arena_alloc(delta->arena, from->count + to->count + 1, sizeof *delta->changes);
    while (i < from->count || j < to->count) {
        int order = i == from->count ? 1
                    : j == to->count ? -1
                                     : compare_facts(&from->items[i], &to->items[j]);

        add_change(delta, order <= 0 ? &from->items[i] : &to->items[j], order <= 0 ? &from->items[i] : NULL,
                   order >= 0 ? &to->items[j] : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}

static int compare_names(struct slice one, struct slice other)
{
    size_t least = one.length < other.length ? one.length : other.length;
    int order = memcmp(one.at, other.at, least);

    return order != 0 ? order : (one.length > other.length) - (one.length < other.length);
}

static int compare_providers(const void *one, const void *other)
{
    return compare_names(((const struct provider *)one)->name, ((const struct provider *)other)->name);
}

static void find_providers(struct delta *delta)
{
    delta->providers = arena_alloc(delta->arena, delta->count + 1, sizeof *delta->providers);
    for (size_t i = 0; i < delta->count; i++) {
        struct change *change = &delta->changes[i];

        if ((change->kind->traits & KIND_PROVIDES) != 0)
            delta->providers[delta->provider_count++] =
                (struct provider) { .name = name_without_arguments(change->name), .change = change };
    }
    qsort(delta->providers, delta->provider_count, sizeof *delta->providers, compare_providers);
}

struct provider *provider_find(const struct delta *delta, struct slice name, size_t *count)
{
    size_t low = 0;
    size_t high = delta->provider_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_names(delta->providers[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < delta->provider_count &&
           compare_names(delta->providers[low + *count].name, name) == 0)
        ++*count;
    return &delta->providers[low];
}

struct change *object_find(const struct delta *delta, struct slice name, unsigned traits, enum side side)
{
    size_t count;
    struct provider *found = provider_find(delta, name, &count);

    for (size_t i = 0; i < count; i++) {
        if ((found[i].change->kind->traits & traits) != 0 && found[i].change->definitions[side] != NULL)
            return found[i].change;
    }
    return NULL;
}

struct change *change_find(const struct delta *delta, const char *kind, struct slice name)
{
    size_t low = 0;
    size_t high = delta->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct change *change = &delta->changes[middle];
        int order = strcmp(change->kind->name, kind);

        if (order == 0)
            order = compare_names(slice_of(change->name), name);
        if (order == 0)
            return change;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool change_is_creating(const struct change *change)
{
    return change != NULL && (change->action == CHANGE_CREATE || change->action == CHANGE_RECREATE);
}

bool change_is_dropping(const struct change *change)
{
    return change != NULL && (change->action == CHANGE_DROP || change->action == CHANGE_RECREATE);
}

struct change *table_parent(const struct delta *delta, const struct change *table, enum side side)
{
    const struct change *link = change_find(delta, "partition", slice_of(table->name));
    const char *definition = link == NULL ? NULL : link->definitions[side];
    const char *parent = definition == NULL ? NULL : line_find(definition, "partition of ");

    if (definition != NULL && parent == NULL)
        parent = line_find(definition, "inherits ");
    return parent == NULL ? NULL : object_find(delta, name_without_arguments(parent), KIND_RELATION, side);
}

void changes_find(struct delta *delta, const struct facts *from, const struct facts *to)
{
    struct facts pieces[SIDES];

    facts_split(delta->arena, from, &pieces[SIDE_FROM]);
    facts_split(delta->arena, to, &pieces[SIDE_TO]);
    pair(delta, &pieces[SIDE_FROM], &pieces[SIDE_TO]);
    find_providers(delta);
}

#include <stdlib.h>
#include <string.h>

#include "schema/script_change.h"
#include "schema/script_name.h"

static int compare(const void *one, const void *other)
{
    const struct change *left = *(struct change *const *)one;
    const struct change *right = *(struct change *const *)other;

    if (left->kind->rank != right->kind->rank)
        return left->kind->rank - right->kind->rank;
    return (left > right) - (left < right);
}

/* Those that are there on that side, each behind what it needs. Where things need each other in a circle, as
 * a table and a function in its own default may, the lower rank comes first. */
struct order {
    struct delta *delta;
    struct change_list list;
    enum side side;
};

static void visit(struct order *order, struct change *change)
{
    const struct change_list *needs = &change->needs[order->side];

    if (change->is_visited[order->side] || change->definitions[order->side] == NULL)
        return;
    change->is_visited[order->side] = true;
    for (size_t i = 0; i < needs->count; i++) {
        struct change *needed = needs->items[i];
        bool is_own = needed == change->parents[order->side];

        visit(order, needed);
        /* Who uses a table may use any of its columns. */
        for (size_t k = 0;
             !is_own && (needed->kind->traits & KIND_RELATION) != 0 && k < needed->children.count; k++) {
            if (strcmp(needed->children.items[k]->kind->name, "column") == 0)
                visit(order, needed->children.items[k]);
        }
    }
    change_list_add(order->delta->arena, &order->list, change);
}

static struct change_list sort(struct delta *delta, enum side side)
{
    struct change **all = arena_alloc(delta->arena, delta->count + 1, sizeof *all);
    struct order order = { .delta = delta, .side = side };

    for (size_t i = 0; i < delta->count; i++)
        all[i] = &delta->changes[i];
    qsort(all, delta->count, sizeof *all, compare);
    for (size_t i = 0; i < delta->count; i++)
        visit(&order, all[i]);
    return order.list;
}

/* The sequence of a serial column goes with it. */
static bool is_owned_by_what_goes(const struct delta *delta, const struct change *sequence)
{
    const struct change *owner = change_find(delta, "sequence-owner", slice_of(sequence->name));
    const struct change *column;

    if (strcmp(sequence->kind->name, "sequence") != 0 || owner == NULL ||
        owner->definitions[SIDE_FROM] == NULL || owner->action == CHANGE_RECREATE ||
        sequence->action == CHANGE_RECREATE)
        return false;
    column = change_find(delta, "column", slice_of(owner->definitions[SIDE_FROM]));
    return change_is_dropping(column);
}

/* Whether it is gone once what it belongs to is, and is in the way of nothing before that: a foreign key to
 * another table that goes, too, would be, or a trigger whose function goes. */
static bool is_gone_with_another(const struct delta *delta, const struct change *change)
{
    const struct change *parent = change->parents[SIDE_FROM];

    if (strcmp(change->kind->name, "sequence") == 0)
        return change->sequences[SIDE_FROM] != NULL || is_owned_by_what_goes(delta, change);
    if (!change_is_dropping(parent))
        return false;
    /* Of a sequence that goes with the column; said before, it would keep the sequence. */
    if (strcmp(change->kind->name, "sequence-owner") == 0)
        return true;
    for (size_t i = 0; i < change->needs[SIDE_FROM].count; i++) {
        const struct change *needed = change->needs[SIDE_FROM].items[i];
        bool is_own = needed == parent || needed->parents[SIDE_FROM] == parent;

        if (!is_own && change_is_dropping(needed) && (needed->kind->traits & KIND_IS_LATE) == 0 &&
            !is_gone_with_another(delta, needed))
            return false;
    }
    return true;
}

/* A type is dropped last, because columns were of it, unless another thing of its name is made. */
static bool is_late(const struct delta *delta, const struct change *change)
{
    size_t count;
    struct provider *same = provider_find(delta, name_without_arguments(change->name), &count);

    if ((change->kind->traits & KIND_IS_LATE) == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (change_is_creating(same[i].change) && same[i].change->kind->rank != 0)
            return false;
    }
    return true;
}

static void drop(struct delta *delta, struct change *change)
{
    if (change->is_dropped || !change_is_dropping(change))
        return;
    change->is_dropped = true;
    if (change->kind->drop != NULL && !is_gone_with_another(delta, change))
        change->kind->drop(delta, change);
}

static void create(struct delta *delta, struct change *change)
{
    if (change->is_written)
        return;
    change->is_written = true;
    if (change_is_creating(change) && change->kind->create != NULL)
        change->kind->create(delta, change);
    else if (change->action == CHANGE_ALTER && change->kind->alter != NULL)
        change->kind->alter(delta, change);
}

void changes_write(struct delta *delta)
{
    struct change_list drops = sort(delta, SIDE_FROM);
    struct change_list creates = sort(delta, SIDE_TO);

    for (size_t i = drops.count; i-- > 0;) {
        if (!is_late(delta, drops.items[i]))
            drop(delta, drops.items[i]);
    }
    for (size_t i = 0; i < creates.count; i++)
        create(delta, creates.items[i]);
    for (size_t i = drops.count; i-- > 0;) {
        drop(delta, drops.items[i]);
        if (drops.items[i]->action == CHANGE_RECREATE && drops.items[i]->kind->finish != NULL)
            drops.items[i]->kind->finish(delta, drops.items[i]);
    }
}

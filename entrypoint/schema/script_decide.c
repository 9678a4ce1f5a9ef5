#include <stdint.h>
#include <string.h>

#include "schema/script_change.h"
#include "schema/script_name.h"
#include "schema/script_split.h"

static bool is_same(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool is_kind(const struct change *change, const char *kind)
{
    return strcmp(change->kind->name, kind) == 0;
}

static enum change_action decide(struct delta *delta, struct change *change)
{
    if (change->definitions[SIDE_FROM] == NULL)
        return CHANGE_CREATE;
    if (change->definitions[SIDE_TO] == NULL)
        return CHANGE_DROP;
    if (is_same(change->definitions[SIDE_FROM], change->definitions[SIDE_TO]))
        return CHANGE_NONE;
    return change->kind->decide == NULL ? CHANGE_RECREATE : change->kind->decide(delta, change);
}

/* The sequence of an identity comes and goes with it. */
static enum change_action decide_sequence(const struct change *sequence, enum change_action action)
{
    bool was_internal = sequence->sequences[SIDE_FROM] != NULL;
    bool is_internal = sequence->sequences[SIDE_TO] != NULL;

    if (was_internal && is_internal)
        return action;
    if (was_internal)
        return sequence->definitions[SIDE_TO] == NULL ? CHANGE_NONE : CHANGE_CREATE;
    if (is_internal)
        return sequence->definitions[SIDE_FROM] == NULL ? CHANGE_NONE : CHANGE_DROP;
    return action;
}

/* What is done to the columns of a table is done to those of its partitions and children, too. */
static bool is_inherited(const struct delta *delta, const struct change *change)
{
    const struct change *table =
        change->parents[SIDE_FROM] == NULL ? change->parents[SIDE_TO] : change->parents[SIDE_FROM];
    const struct change *parent;
    const struct change *same;
    auto_text struct text name = text_init(SIZE_MAX);

    if (is_kind(change, "default") || is_kind(change, "identity"))
        table = table == NULL ? NULL : table->parents[table->definitions[SIDE_FROM] == NULL];
    else if (!is_kind(change, "column"))
        return false;
    if (table == NULL || table->action == CHANGE_CREATE)
        return false;
    parent = table_parent(delta, table, SIDE_FROM);
    if (parent == NULL || parent != table_parent(delta, table, SIDE_TO))
        return false;
    text_add_format(&name, "%s.%s", parent->name, name_last(change->name));
    same = change_find(delta, change->kind->name, text_slice(&name));
    return same != NULL && same->action == change->action &&
           is_same(same->definitions[SIDE_FROM], change->definitions[SIDE_FROM]) &&
           is_same(same->definitions[SIDE_TO], change->definitions[SIDE_TO]);
}

/* What changed, and because of which the others are looked at. */
struct work {
    struct delta *delta;
    struct change_list list;
};

static bool needs(const struct change *change, const struct change *other, enum side side)
{
    for (size_t i = 0; i < change->needs[side].count; i++) {
        if (change->needs[side].items[i] == other)
            return true;
    }
    return false;
}

static bool is_generated(const struct change *change)
{
    const char *definition = change->definitions[SIDE_FROM];

    return is_kind(change, "column") && definition != NULL &&
           (text_find_outside(definition, " stored ") != NULL ||
            text_find_outside(definition, " virtual ") != NULL);
}

/* A column of an enum that another one takes the place of: its values are converted by their names. */
static bool convert(struct work *work, struct change *column, const struct change *type)
{
    const struct change *table = column->parents[SIDE_FROM];
    struct column_text is;
    struct slice name;

    if (!is_kind(type, "enum") || !is_kind(column, "column") || table == NULL || !is_kind(table, "table") ||
        table_parent(work->delta, table, SIDE_FROM) != NULL)
        return false;
    column_text_read(column->definitions[SIDE_TO], &is);
    name = (struct slice) { .at = is.type.at, .length = strlen(type->name) };
    if (is.type.length < name.length || !slice_equals(name, type->name))
        return false;
    column->action = CHANGE_ALTER;
    column->is_retyped = column->is_converted = true;
    change_list_add(work->delta->arena, &work->list, column);
    return true;
}

/* Makes anew what uses something that goes away. */
static void recreate(struct work *work, struct change *change, const struct change *because)
{
    bool is_firm = (change->kind->traits & KIND_IS_FIRM) != 0 && !is_generated(change);

    if (change->definitions[SIDE_FROM] == NULL || change->definitions[SIDE_TO] == NULL ||
        change->action == CHANGE_RECREATE || change->action == CHANGE_CREATE || change->action == CHANGE_DROP)
        return;
    if (is_firm && (because->kind->traits & KIND_IS_LATE) != 0 && !needs(change, because, SIDE_TO))
        return;
    if (is_firm) {
        if (!change->is_converted && !convert(work, change, because))
            delta_refuse(work->delta, change, "it uses something that has to be dropped, and holds data");
        return;
    }
    change->action = CHANGE_RECREATE;
    change_list_add(work->delta->arena, &work->list, change);
}

static bool is_using(const struct change *user, const char *column)
{
    const char *definition = user->definitions[SIDE_FROM];

    return definition != NULL && text_mentions(definition, column);
}

/* A column goes away, or is of another type now. */
static void follow_column(struct work *work, struct change *column)
{
    const struct change *table = column->parents[SIDE_FROM];
    const char *name = name_last(column->name);

    for (size_t i = 0; table != NULL && i < table->users.count; i++) {
        struct change *user = table->users.items[i];

        unsigned traits = user->kind->traits;
        bool is_wanted =
            change_is_dropping(column) ? (traits & KIND_IS_FIRM) == 0 : (traits & KIND_IS_FRAGILE) != 0;

        is_wanted =
            is_wanted || is_kind(user, "column") || (is_kind(user, "foreign-key") && column->is_rekeyed);

        if (user != column && is_wanted && (!is_kind(user, "column") || is_generated(user)) &&
            is_using(user, name))
            recreate(work, user, column);
    }
    for (size_t i = 0; i < column->children.count; i++) {
        if (is_kind(column->children.items[i], "default"))
            recreate(work, column->children.items[i], column);
    }
}

/* The indexes and keys of a partition go with it; those of its parent stay. */
static bool stays_without(const struct change *user, const struct change *gone)
{
    const struct change *table = gone->parents[SIDE_FROM];

    return table != NULL && table->action == CHANGE_DROP && user->kind == gone->kind &&
           user->parents[SIDE_FROM] != table;
}

static void follow(struct work *work, struct change *change)
{
    for (size_t i = 0; i < change->children.count; i++) {
        struct change *child = change->children.items[i];
        bool is_lost = change_is_dropping(change) && child->parents[SIDE_FROM] == change;
        bool is_due = change_is_creating(change) && child->parents[SIDE_TO] == change;

        if (is_lost || is_due)
            recreate(work, child, change);
    }
    for (size_t i = 0; change_is_dropping(change) && i < change->users.count; i++) {
        if (!stays_without(change->users.items[i], change))
            recreate(work, change->users.items[i], change);
    }
    if (is_kind(change, "column") && (change->is_retyped || change_is_dropping(change)))
        follow_column(work, change);
}

void changes_decide(struct delta *delta)
{
    struct work work = { .delta = delta };

    for (size_t i = 0; i < delta->count; i++) {
        struct change *change = &delta->changes[i];

        change->action = decide(delta, change);
        if (is_kind(change, "sequence"))
            change->action = decide_sequence(change, change->action);
    }
    for (size_t i = 0; i < delta->count; i++) {
        struct change *change = &delta->changes[i];

        if (change->action != CHANGE_NONE && is_inherited(delta, change))
            change->is_written = change->is_dropped = true;
        if (change->action != CHANGE_NONE)
            change_list_add(delta->arena, &work.list, change);
    }
    for (size_t i = 0; i < work.list.count; i++)
        follow(&work, work.list.items[i]);
}

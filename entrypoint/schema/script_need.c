#include <stdint.h>
#include <string.h>

#include "schema/script_change.h"
#include "schema/script_name.h"
#include "schema/script_split.h"

struct user {
    struct delta *delta;
    struct change *change;
    enum side side;
};

static void add_need(const struct user *user, struct change *needed)
{
    struct change_list *needs = &user->change->needs[user->side];

    if (needed == NULL || needed == user->change || needed->definitions[user->side] == NULL ||
        needed->seen == needs)
        return;
    needed->seen = needs;
    change_list_add(user->delta->arena, needs, needed);
    if (user->side == SIDE_FROM)
        change_list_add(user->delta->arena, &needed->users, user->change);
}

/* Functions of one name are told apart by their arguments, which a mention does not always show: it counts
 * for all of them, but not between them. */
static void add_mentioned(void *context, struct slice identifier, struct slice pair)
{
    const struct user *user = context;
    struct slice own = name_without_arguments(user->change->name);
    size_t count;
    struct provider *found = provider_find(user->delta, pair, &count);

    (void)identifier;
    if (pair.length == 0 || (slice_is_same(pair, own) && (user->change->kind->traits & KIND_ROUTINE) != 0))
        return;
    for (size_t i = 0; i < count; i++)
        add_need(user, found[i].change);
}

/* What a body in quotes mentions need not be there before it runs. */
static struct slice without_body(const struct change *change, const char *definition)
{
    const char *body =
        (change->kind->traits & KIND_ROUTINE) == 0 ? NULL : text_find_outside(definition, "\nAS ");

    return (struct slice) { .at = definition,
                            .length = body == NULL ? strlen(definition) : (size_t)(body - definition) };
}

struct first_relation {
    const struct delta *delta;
    enum side side;
    struct change *found;
};

static void keep_first(void *context, struct slice identifier, struct slice pair)
{
    struct first_relation *first = context;

    (void)identifier;
    if (first->found == NULL && pair.length > 0)
        first->found = object_find(first->delta, pair, KIND_RELATION, first->side);
}

static struct change *find_index(struct delta *delta, const struct change *piece, enum side side)
{
    static const char *const kinds[] = { "index", "constraint", "foreign-key" };

    for (size_t i = 0; i < array_length(kinds); i++) {
        struct change *found = change_find(delta, kinds[i], slice_of(piece->name));

        if (found != NULL && found->definitions[side] != NULL)
            return found;
    }
    return NULL;
}

static struct change *find_parent(struct delta *delta, struct change *change, enum side side)
{
    struct first_relation first = { .delta = delta, .side = side };
    unsigned traits = change->kind->traits;

    if ((traits & KIND_PART) != 0)
        return object_find(delta, name_qualifier(change->name), KIND_RELATION | KIND_TYPE, side);
    if ((traits & KIND_PIECE) != 0)
        return object_find(delta, slice_of(change->name), KIND_RELATION, side);
    if ((traits & KIND_OF_INDEX) != 0)
        return find_index(delta, change, side);
    if ((traits & KIND_OF_COLUMN) != 0)
        return change_find(delta, "column", slice_of(change->name));
    if ((traits & KIND_ON_RELATION) != 0)
        names_mentioned(slice_of(change->definitions[side]), keep_first, &first);
    if ((traits & KIND_ACCESS) != 0)
        return access_object(delta, change, side);
    return first.found;
}

static void find_parents(struct delta *delta, struct change *change)
{
    for (enum side side = SIDE_FROM; side < SIDES; side++) {
        struct change *parent = change->definitions[side] == NULL ? NULL : find_parent(delta, change, side);

        change->parents[side] = parent;
        if (parent != NULL && (side == SIDE_FROM || parent != change->parents[SIDE_FROM]))
            change_list_add(delta->arena, &parent->children, change);
    }
}

/* The keys and indexes of a table whose definition says these columns; how many. */
static size_t need_keys(const struct user *user, const struct change *table, struct slice columns)
{
    auto_text struct text wanted = text_init(SIZE_MAX);
    size_t count = 0;

    text_add(&wanted, columns.at, columns.length);
    for (size_t i = 0; i < table->children.count; i++) {
        struct change *child = table->children.items[i];
        const char *definition = child->definitions[user->side];
        bool is_key = strcmp(child->kind->name, "constraint") == 0 || strcmp(child->kind->name, "index") == 0;

        if (!is_key || definition == NULL || strstr(definition, wanted.at) == NULL)
            continue;
        add_need(user, child);
        count++;
    }
    return count;
}

/* A foreign key needs what is unique in the table that it references. */
static void need_unique(const struct user *user, const char *definition)
{
    const char *referenced = text_find_outside(definition, "REFERENCES ");
    struct slice name = name_without_arguments(referenced == NULL ? "" : referenced + strlen("REFERENCES "));
    struct change *table = object_find(user->delta, name, KIND_RELATION, user->side);
    struct slice columns = slice_of(name.at + name.length);

    if (table == NULL)
        return;
    columns.length = parenthesis_length(columns);
    if (need_keys(user, table, columns) == 0)
        need_keys(user, table, slice_of("("));
}

/* An index, or a constraint that has one, of the same table. */
static void need_index(const struct user *user, const char *definition, const char *begin)
{
    const char *name = line_find(definition, begin);
    auto_text struct text whole = text_init(SIZE_MAX);
    struct slice schema = name_qualifier(user->change->name);

    if (name == NULL)
        return;
    text_add_format(&whole, "%.*s.%s", (int)schema.length, schema.at, name);
    add_need(user, change_find(user->delta, "index", text_slice(&whole)));
    text_reset(&whole);
    text_add_format(&whole, "%s.%s", user->change->name, name);
    add_need(user, change_find(user->delta, "constraint", text_slice(&whole)));
}

/* New columns are added in the order in which TO has them. */
static void chain_columns(const struct user *user, const char *definition)
{
    struct slice names = line_value(definition, "columns ");
    struct change *before = NULL;

    for (size_t i = 0, length; i < names.length; i += length + strlen(", ")) {
        auto_text struct text name = text_init(SIZE_MAX);
        struct user column = { .delta = user->delta, .side = user->side };

        length = identifier_length((struct slice) { .at = names.at + i, .length = names.length - i });
        if (length == 0)
            return;
        text_add_format(&name, "%s.%.*s", user->change->name, (int)length, names.at + i);
        column.change = change_find(user->delta, "column", text_slice(&name));
        if (column.change == NULL)
            continue;
        add_need(&column, before);
        before = column.change;
    }
}

static void need_by_kind(const struct user *user, const char *definition)
{
    const struct delta *delta = user->delta;
    const char *kind = user->change->kind->name;
    const char *name = user->change->name;

    if (strcmp(kind, "foreign-key") == 0)
        need_unique(user, definition);
    else if (strcmp(kind, "sequence-owner") == 0)
        add_need(user, change_find(delta, "column", slice_of(definition)));
    else if (strcmp(kind, "extension") == 0 && strstr(definition, " in ") != NULL)
        add_need(user, object_find(delta, slice_of(strstr(definition, " in ") + strlen(" in ")),
                                   KIND_OTHER_OBJECT, user->side));
    else if (strcmp(kind, "cluster") == 0)
        need_index(user, definition, "clustered on ");
    else if (strcmp(kind, "replica-identity") == 0)
        need_index(user, definition, "replica identity i ");
    else if (strcmp(kind, "table") == 0) {
        add_need(user, table_parent(delta, user->change, user->side));
        if (user->side == SIDE_TO)
            chain_columns(user, definition);
    } else if (strcmp(kind, "published") == 0) {
        names_mentioned(slice_of(name), add_mentioned, (void *)user);
        add_need(user, change_find(delta, "publication", name_without_arguments(name)));
    }
}

static void find_needs(struct delta *delta, struct change *change)
{
    for (enum side side = SIDE_FROM; side < SIDES; side++) {
        struct user user = { .delta = delta, .change = change, .side = side };
        const char *definition = change->definitions[side];
        struct slice schema = name_without_arguments(change->name);

        if (definition == NULL)
            continue;
        add_need(&user, change->parents[side]);
        if (change->parents[side] == NULL && (change->kind->traits & KIND_ACCESS) == 0)
            add_need(&user,
                     change_find(delta, "schema",
                                 (struct slice) { .at = schema.at, .length = identifier_length(schema) }));
        if ((change->kind->traits & KIND_IS_DEAF) == 0)
            names_mentioned(without_body(change, definition), add_mentioned, &user);
        need_by_kind(&user, definition);
    }
}

/* The server finds the indexes and constraints of partitions that match those of the parent if they are
 * there before, and drops them with those of the parent. */
static void need_those_of_partition(struct delta *delta, const struct change *link, enum side side)
{
    struct change *table = link->parents[side];
    struct change *parent = table == NULL ? NULL : table_parent(delta, table, side);

    if (parent == NULL)
        return;
    for (size_t i = 0; i < parent->children.count; i++) {
        struct user user = { .delta = delta, .change = parent->children.items[i], .side = side };
        const struct change_kind *kind = user.change->kind;
        bool is_wanted = strcmp(kind->name, "index") == 0 || strcmp(kind->name, "constraint") == 0 ||
                         strcmp(kind->name, "foreign-key") == 0;

        for (size_t k = 0; is_wanted && k < table->children.count; k++) {
            if (table->children.items[k]->kind == kind)
                add_need(&user, table->children.items[k]);
        }
    }
}

/* The sequence of an identity is made and dropped with it. */
static void pair_identity(struct delta *delta, struct change *owner, enum side side)
{
    struct change *identity;
    struct change *sequence = change_find(delta, "sequence", slice_of(owner->name));

    if (owner->definitions[side] == NULL)
        return;
    identity = change_find(delta, "identity", slice_of(owner->definitions[side]));
    if (identity == NULL || sequence == NULL || identity->definitions[side] == NULL)
        return;
    identity->sequences[side] = sequence;
    sequence->sequences[side] = identity;
}

void needs_find(struct delta *delta)
{
    for (size_t i = 0; i < delta->count; i++)
        find_parents(delta, &delta->changes[i]);
    for (size_t i = 0; i < delta->count; i++)
        find_needs(delta, &delta->changes[i]);
    for (size_t i = 0; i < delta->count; i++) {
        for (enum side side = SIDE_FROM; side < SIDES; side++) {
            if (strcmp(delta->changes[i].kind->name, "partition") == 0)
                need_those_of_partition(delta, &delta->changes[i], side);
            if (strcmp(delta->changes[i].kind->name, "sequence-identity") == 0)
                pair_identity(delta, &delta->changes[i], side);
        }
    }
}

#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"

static void say_options(struct delta *delta, const struct change *change, enum side side, bool is_set)
{
    struct slice options = options_of(change->definitions[side]);
    auto_text struct text list = text_init(SIZE_MAX);

    if (!options_add(options, is_set, &list))
        delta_refuse(delta, change, "its options cannot be read");
    say(delta, "ALTER TABLE %s %s (%s);\n", change->name, is_set ? "SET" : "RESET", list.at);
}

void options_create(struct delta *delta, struct change *change)
{
    say_options(delta, change, SIDE_TO, true);
}

void options_drop(struct delta *delta, struct change *change)
{
    say_options(delta, change, SIDE_FROM, false);
}

static bool is_enabled(const char *definition)
{
    return definition != NULL &&
           (strcmp(definition, "row level security") == 0 ||
            strncmp(definition, "row level security\n", strlen("row level security\n")) == 0);
}

static bool is_forced(const char *definition)
{
    return definition != NULL && line_find(definition, "row level security for the owner") != NULL;
}

void row_security_create(struct delta *delta, struct change *change)
{
    if (is_enabled(change->definitions[SIDE_TO]))
        say(delta, "ALTER TABLE %s ENABLE ROW LEVEL SECURITY;\n", change->name);
    if (is_forced(change->definitions[SIDE_TO]))
        say(delta, "ALTER TABLE %s FORCE ROW LEVEL SECURITY;\n", change->name);
}

/* At the end, not before: what it keeps from others must never be open in between. */
void row_security_alter(struct delta *delta, struct change *change)
{
    const char *was = change->definitions[SIDE_FROM];
    const char *is = change->definitions[SIDE_TO];

    if (is_enabled(was) != is_enabled(is))
        say(delta, "ALTER TABLE %s %s ROW LEVEL SECURITY;\n", change->name,
            is_enabled(is) ? "ENABLE" : "DISABLE");
    if (is_forced(was) != is_forced(is))
        say(delta, "ALTER TABLE %s %sFORCE ROW LEVEL SECURITY;\n", change->name, is_forced(is) ? "" : "NO ");
}

void row_security_drop(struct delta *delta, struct change *change)
{
    if (change->action == CHANGE_DROP)
        row_security_alter(delta, change);
}

void replica_identity_create(struct delta *delta, struct change *change)
{
    const char *index = line_find(change->definitions[SIDE_TO], "replica identity i ");
    bool is_full = strcmp(change->definitions[SIDE_TO], "replica identity f") == 0;

    if (index != NULL)
        say(delta, "ALTER TABLE %s REPLICA IDENTITY USING INDEX %s;\n", change->name, index);
    else
        say(delta, "ALTER TABLE %s REPLICA IDENTITY %s;\n", change->name, is_full ? "FULL" : "NOTHING");
}

void replica_identity_drop(struct delta *delta, struct change *change)
{
    if (change->action == CHANGE_DROP)
        say(delta, "ALTER TABLE %s REPLICA IDENTITY DEFAULT;\n", change->name);
}

void cluster_create(struct delta *delta, struct change *change)
{
    say(delta, "ALTER TABLE %s CLUSTER ON %s;\n", change->name,
        line_find(change->definitions[SIDE_TO], "clustered on "));
}

void cluster_drop(struct delta *delta, struct change *change)
{
    if (change->action == CHANGE_DROP)
        say(delta, "ALTER TABLE %s SET WITHOUT CLUSTER;\n", change->name);
}

/* Says a statement for each parent of a table that inherits. */
static void say_parents(struct delta *delta, const struct change *change, enum side side, const char *verb)
{
    struct slice parents = line_value(change->definitions[side], "inherits ");

    for (size_t i = 0; i < parents.length;) {
        const char *end = text_find_outside(parents.at + i, ", ");
        size_t length = end == NULL ? parents.length - i : (size_t)(end - (parents.at + i));

        say(delta, "ALTER TABLE %s %s %.*s;\n", change->name, verb, (int)length, parents.at + i);
        i += length + strlen(", ");
    }
}

void partition_create(struct delta *delta, struct change *change)
{
    struct slice parent = line_value(change->definitions[SIDE_TO], "partition of ");
    const char *bound = change->definitions[SIDE_TO] + strlen("partition of ") + parent.length;

    if (parent.length > 0)
        say(delta, "ALTER TABLE %.*s ATTACH PARTITION %s %s;\n", (int)parent.length, parent.at, change->name,
            bound + (*bound == '\n'));
    else
        say_parents(delta, change, SIDE_TO, "INHERIT");
}

void partition_drop(struct delta *delta, struct change *change)
{
    struct slice parent = line_value(change->definitions[SIDE_FROM], "partition of ");

    if (parent.length > 0)
        say(delta, "ALTER TABLE %.*s DETACH PARTITION %s;\n", (int)parent.length, parent.at, change->name);
    else
        say_parents(delta, change, SIDE_FROM, "NO INHERIT");
}

/* "toast with (a=b)": each name gets its prefix. */
static void say_toast(struct delta *delta, const struct change *change, enum side side, bool is_set)
{
    struct slice options = options_of(change->definitions[side] + strlen("toast "));
    auto_text struct text prefixed = text_init(SIZE_MAX);
    auto_text struct text list = text_init(SIZE_MAX);

    for (size_t i = 0; i < options.length; i++) {
        bool is_start = i == 0 || (options.at[i - 1] == ' ' && i > 1 && options.at[i - 2] == ',');

        text_add_format(&prefixed, "%s%c", is_start ? "toast." : "", options.at[i]);
    }
    if (!options_add(text_slice(&prefixed), is_set, &list))
        delta_refuse(delta, change, "its options cannot be read");
    say(delta, "ALTER TABLE %s %s (%s);\n", change->name, is_set ? "SET" : "RESET", list.at);
}

void toast_options_create(struct delta *delta, struct change *change)
{
    say_toast(delta, change, SIDE_TO, true);
}

void toast_options_drop(struct delta *delta, struct change *change)
{
    say_toast(delta, change, SIDE_FROM, false);
}

void tablespace_create(struct delta *delta, struct change *change)
{
    say(delta, "ALTER TABLE %s SET TABLESPACE %s;\n", change->name,
        change->definitions[SIDE_TO] + strlen("tablespace "));
}

void tablespace_drop(struct delta *delta, struct change *change)
{
    if (change->action == CHANGE_DROP)
        say(delta, "ALTER TABLE %s SET TABLESPACE pg_default;\n", change->name);
}

/* What the trigger of its parent says, in whose place it is another one here. */
static const char *inherited_state(const struct delta *delta, const struct change *change)
{
    const struct change *table = change->parents[SIDE_FROM];
    const struct change *parent = table == NULL ? NULL : table_parent(delta, table, SIDE_TO);
    auto_text struct text name = text_init(SIZE_MAX);
    const struct change *trigger;
    const char *line;

    if (parent == NULL)
        return NULL;
    text_add_format(&name, "%s.%s", parent->name, name_last(change->name));
    trigger = change_find(delta, "trigger", text_slice(&name));
    if (trigger == NULL || trigger->definitions[SIDE_TO] == NULL)
        return NULL;
    line = text_find_outside(trigger->definitions[SIDE_TO], "\nenabled ");
    return line == NULL ? "O" : line + strlen("\nenabled ");
}

void trigger_state_create(struct delta *delta, struct change *change)
{
    say(delta, "ALTER TABLE %s %s TRIGGER %s;\n", change->parents[SIDE_TO]->name,
        enabling(change->definitions[SIDE_TO] + strlen("enabled ")), name_last(change->name));
}

void trigger_state_drop(struct delta *delta, struct change *change)
{
    const char *state = inherited_state(delta, change);

    if (change->action == CHANGE_DROP && state != NULL)
        say(delta, "ALTER TABLE %s %s TRIGGER %s;\n", change->parents[SIDE_FROM]->name, enabling(state),
            name_last(change->name));
}

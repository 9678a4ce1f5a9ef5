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

static bool is_domain(const struct change *constraint, enum side side)
{
    const struct change *parent = constraint->parents[side];

    return parent != NULL && (parent->kind->traits & KIND_TYPE) != 0;
}

static bool is_partitioned(const struct change *table)
{
    return table != NULL && table->definitions[SIDE_TO] != NULL &&
           line_find(table->definitions[SIDE_TO], "partition by ") != NULL;
}

/* Of a check or a foreign key of a table in use: new rows are checked at once, the others under a weak lock.
 */
static bool is_validated_apart(const struct delta *delta, const struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    bool is_check = strncmp(definition, "CHECK", strlen("CHECK")) == 0;
    bool is_key = strncmp(definition, "FOREIGN KEY", strlen("FOREIGN KEY")) == 0;

    return delta->request->is_online && (is_check || (is_key && !is_partitioned(change->parents[SIDE_TO]))) &&
           !is_domain(change, SIDE_TO) && is_in_use(change->parents[SIDE_TO]) &&
           text_find_outside(definition, " NOT VALID") == NULL &&
           text_find_outside(definition, " NOT ENFORCED") == NULL;
}

/* UNIQUE (a) INCLUDE (b), PRIMARY KEY (a): what an index can be made for beforehand. */
static bool is_simple_key(const char *definition, struct text *columns)
{
    const char *open = strchr(definition, '(');
    bool is_key = strncmp(definition, "UNIQUE (", strlen("UNIQUE (")) == 0 ||
                  strncmp(definition, "PRIMARY KEY (", strlen("PRIMARY KEY (")) == 0;

    if (!is_key || text_find_outside(definition, " DEFERRABLE") != NULL ||
        strstr(definition, "WITHOUT OVERLAPS") != NULL)
        return false;
    text_add_string(columns, open);
    return true;
}

static bool add_key_online(struct delta *delta, const struct change *change)
{
    auto_text struct text columns = text_init(SIZE_MAX);
    const struct change *table = change->parents[SIDE_TO];
    const char *name = name_last(change->name);
    bool is_unique = strncmp(change->definitions[SIDE_TO], "UNIQUE", strlen("UNIQUE")) == 0;

    if (!delta->request->is_online || !is_in_use(table) || is_partitioned(table) ||
        !is_simple_key(change->definitions[SIDE_TO], &columns))
        return false;
    say(delta, "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s %s;\n", name, table->name, columns.at);
    say(delta, "ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s;\n", table->name, name,
        is_unique ? "UNIQUE" : "PRIMARY KEY", name);
    return true;
}

void constraint_create(struct delta *delta, struct change *change)
{
    struct change *parent = change->parents[SIDE_TO];
    bool is_apart = is_validated_apart(delta, change);

    if (parent == NULL) {
        delta_refuse(delta, change, "its table is not in the snapshot");
        return;
    }
    if (add_key_online(delta, change))
        return;
    say(delta, "ALTER %s %s ADD CONSTRAINT %s %s%s;\n", is_domain(change, SIDE_TO) ? "DOMAIN" : "TABLE",
        parent->name, name_last(change->name), change->definitions[SIDE_TO], is_apart ? " NOT VALID" : "");
    if (is_apart)
        say(delta, "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n", parent->name, name_last(change->name));
}

/* A partition's goes with that of its parent, which the script drops before. */
void constraint_drop(struct delta *delta, struct change *change)
{
    struct change *parent = change->parents[SIDE_FROM];

    if (parent != NULL)
        say(delta, "ALTER %s %s DROP CONSTRAINT %s%s;\n", is_domain(change, SIDE_FROM) ? "DOMAIN" : "TABLE",
            parent->name, table_parent(delta, parent, SIDE_FROM) != NULL ? "IF EXISTS " : "",
            name_last(change->name));
}

void constraint_alter(struct delta *delta, struct change *change)
{
    say(delta, "ALTER %s %s VALIDATE CONSTRAINT %s;\n", is_domain(change, SIDE_TO) ? "DOMAIN" : "TABLE",
        change->parents[SIDE_TO]->name, name_last(change->name));
}

enum change_action constraint_decide(struct delta *delta, struct change *change)
{
    auto_text struct text validated = text_init(SIZE_MAX);

    (void)delta;
    text_add_format(&validated, "%s NOT VALID", change->definitions[SIDE_TO]);
    return strcmp(validated.at, change->definitions[SIDE_FROM]) == 0 ? CHANGE_ALTER : CHANGE_RECREATE;
}

void index_create(struct delta *delta, struct change *change)
{
    static const char concurrently[] = "CONCURRENTLY ";
    const char *definition = change->definitions[SIDE_TO];
    const struct change *table = change->parents[SIDE_TO];
    const char *behind = strstr(definition, "INDEX ");
    const char *only = text_find_outside(definition, " ON ONLY ");
    bool is_online = delta->request->is_online && is_in_use(table) && !is_partitioned(table);

    if (behind == NULL || text_find_outside(definition, "\n") != NULL) {
        delta_refuse(delta, change, "it is invalid, or cannot be read");
        return;
    }
    behind += strlen("INDEX ");
    say(delta, "%.*s%s", (int)(behind - definition), definition, is_online ? concurrently : "");
    if (only != NULL) {
        say(delta, "%.*s ON ", (int)(only - behind), behind);
        behind = only + strlen(" ON ONLY ");
    }
    say(delta, "%s;\n", behind);
}

void index_drop(struct delta *delta, struct change *change)
{
    const struct change *table = change->parents[SIDE_FROM];
    bool is_online = delta->request->is_online && is_in_use(table) && !is_partitioned(table);
    bool is_part = table != NULL && table_parent(delta, table, SIDE_FROM) != NULL;

    say(delta, "DROP INDEX %s%s%s;\n", is_online && !is_part ? "CONCURRENTLY " : "",
        is_part ? "IF EXISTS " : "", change->name);
}

void statistics_create(struct delta *delta, struct change *change)
{
    say(delta, "%s;\n", change->definitions[SIDE_TO]);
}

void statistics_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP STATISTICS %s;\n", change->name);
}

#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"

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
    const char *definition = change->definitions[SIDE_TO];
    const char *target = text_find_outside(definition, "\nstatistics ");
    size_t length = target == NULL ? strlen(definition) : (size_t)(target - definition);

    say(delta, "%.*s;\n", (int)length, definition);
    if (target != NULL)
        say(delta, "ALTER STATISTICS %s SET STATISTICS %s;\n", change->name,
            target + strlen("\nstatistics "));
}

void statistics_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP STATISTICS %s;\n", change->name);
}

/* "public.k" of an index, or of the constraint "public.t.k". */
static void add_index_name(const struct change *piece, struct text *out)
{
    struct slice table = name_qualifier(piece->name);
    auto_text struct text of = text_init(SIZE_MAX);
    struct slice schema;

    text_add(&of, table.at, table.length);
    schema = name_qualifier(of.at);
    if (schema.length == 0)
        text_add_string(out, piece->name);
    else
        text_add_format(out, "%.*s.%s", (int)schema.length, schema.at, name_last(piece->name));
}

static void say_index_options(struct delta *delta, const struct change *change, enum side side, bool is_set)
{
    auto_text struct text name = text_init(SIZE_MAX);
    auto_text struct text list = text_init(SIZE_MAX);

    add_index_name(change, &name);
    if (!options_add(options_of(change->definitions[side]), is_set, &list))
        delta_refuse(delta, change, "its options cannot be read");
    say(delta, "ALTER INDEX %s %s (%s);\n", name.at, is_set ? "SET" : "RESET", list.at);
}

void index_options_create(struct delta *delta, struct change *change)
{
    say_index_options(delta, change, SIDE_TO, true);
}

void index_options_drop(struct delta *delta, struct change *change)
{
    say_index_options(delta, change, SIDE_FROM, false);
}

void index_tablespace_create(struct delta *delta, struct change *change)
{
    auto_text struct text name = text_init(SIZE_MAX);

    add_index_name(change, &name);
    say(delta, "ALTER INDEX %s SET TABLESPACE %s;\n", name.at,
        change->definitions[SIDE_TO] + strlen("tablespace "));
}

void index_tablespace_drop(struct delta *delta, struct change *change)
{
    auto_text struct text name = text_init(SIZE_MAX);

    add_index_name(change, &name);
    if (change->action == CHANGE_DROP)
        say(delta, "ALTER INDEX %s SET TABLESPACE pg_default;\n", name.at);
}

/* Of lines "statistics COLUMN TARGET". */
static void say_statistics(struct delta *delta, const struct change *change, enum side side, bool is_set)
{
    auto_text struct text name = text_init(SIZE_MAX);

    add_index_name(change, &name);
    for (const char *line = change->definitions[side]; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const char *column = line + strlen("statistics ");
        size_t length = strcspn(column, " ");
        const char *target = column + length + 1;

        say(delta, "ALTER INDEX %s ALTER COLUMN %.*s SET STATISTICS %.*s;\n", name.at, (int)length, column,
            is_set ? (int)strcspn(target, "\n") : 2, is_set ? target : "-1");
    }
}

void index_statistics_create(struct delta *delta, struct change *change)
{
    say_statistics(delta, change, SIDE_TO, true);
}

void index_statistics_drop(struct delta *delta, struct change *change)
{
    say_statistics(delta, change, SIDE_FROM, false);
}

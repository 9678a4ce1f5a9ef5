#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"

/* Whether all that something needs is there already, besides its own table. */
static bool is_ready(const struct change *change, const struct change *table)
{
    for (size_t i = 0; i < change->needs[SIDE_TO].count; i++) {
        const struct change *needed = change->needs[SIDE_TO].items[i];
        bool is_own =
            needed == table || needed->parents[SIDE_TO] == table || needed == change->parents[SIDE_TO];

        if (!is_own && !needed->is_written && needed->action != CHANGE_NONE)
            return false;
    }
    return true;
}

static void add_default(struct delta *delta, const struct change *column, struct text *out)
{
    struct change *value = change_find(delta, "default", slice_of(column->name));

    if (value == NULL || value->definitions[SIDE_TO] == NULL || value->is_written ||
        !is_ready(value, column->parents[SIDE_TO]))
        return;
    text_add_format(out, " DEFAULT %s", value->definitions[SIDE_TO]);
    value->is_written = true;
}

/* "public.t_id_seq", as the server calls it by itself. */
static bool has_usual_name(const struct change *sequence, const struct change *column)
{
    auto_text struct text usual = text_init(SIZE_MAX);
    const struct change *table = column->parents[SIDE_TO];
    bool is_plain;

    text_add_format(&usual, "%s_%s_seq", table->name, name_last(column->name));
    is_plain = strchr(name_last(table->name), '"') == NULL && strchr(name_last(column->name), '"') == NULL;
    return is_plain && strcmp(usual.at, sequence->name) == 0;
}

static void add_identity(struct delta *delta, struct change *identity, const struct change *column,
                         struct text *out)
{
    struct change *sequence = identity->sequences[SIDE_TO];
    auto_text struct text options = text_init(SIZE_MAX);

    (void)delta;
    text_add_format(out, " GENERATED %s AS IDENTITY", identity->definitions[SIDE_TO]);
    identity->is_written = true;
    if (sequence == NULL)
        return;
    sequence->is_written = true;
    if (!has_usual_name(sequence, column))
        text_add_format(&options, " SEQUENCE NAME %s", sequence->name);
    sequence_options_add(sequence->definitions[SIDE_TO], true, &options);
    if (options.length > 0)
        text_add_format(out, " (%s)", options.at + 1);
}

void column_add(struct delta *delta, struct change *column, struct text *out)
{
    struct change *identity = change_find(delta, "identity", slice_of(column->name));
    struct column_text is;

    column_text_read(column->definitions[SIDE_TO], &is);
    column->is_written = true;
    text_add_format(out, "%s %.*s", name_last(column->name), (int)is.type.length, is.type.at);
    if (is.collation.length > 0)
        text_add_format(out, " COLLATE %.*s", (int)is.collation.length, is.collation.at);
    if (is.is_not_null)
        text_add_string(out, " NOT NULL");
    if (is.generated.length > 0)
        text_add_format(out, " GENERATED ALWAYS AS (%s) %.*s", is.expression, (int)is.generated.length,
                        is.generated.at);
    else if (identity != NULL && identity->definitions[SIDE_TO] != NULL)
        add_identity(delta, identity, column, out);
    else
        add_default(delta, column, out);
}

static void add_columns(struct delta *delta, const struct change *table, bool with_settings)
{
    struct slice names = line_value(table->definitions[SIDE_TO], "columns ");
    bool is_first = true;

    for (size_t i = 0, length; i < names.length; i += length + strlen(", ")) {
        auto_text struct text name = text_init(SIZE_MAX);
        struct change *column;

        length = identifier_length((struct slice) { .at = names.at + i, .length = names.length - i });
        if (length == 0)
            return;
        text_add_format(&name, "%s.%.*s", table->name, (int)length, names.at + i);
        column = change_find(delta, "column", text_slice(&name));
        if (column == NULL || column->definitions[SIDE_TO] == NULL)
            continue;
        if (with_settings) {
            column_settings(delta, column);
            continue;
        }
        say(delta, is_first ? "\n    " : ",\n    ");
        column_add(delta, column, &delta->result->script);
        is_first = false;
    }
}

static void add_constraints(struct delta *delta, const struct change *table)
{
    bool is_first = line_value(table->definitions[SIDE_TO], "columns ").length == 0;

    for (size_t i = 0; i < table->children.count; i++) {
        struct change *child = table->children.items[i];
        const char *definition = child->definitions[SIDE_TO];

        /* In CREATE TABLE, NOT VALID would mean nothing. */
        if (definition == NULL || strcmp(child->kind->name, "constraint") != 0 || !is_ready(child, table) ||
            text_find_outside(definition, " NOT VALID") != NULL)
            continue;
        say(delta, "%s    CONSTRAINT %s %s", is_first ? "\n" : ",\n", name_last(child->name), definition);
        child->is_written = true;
        is_first = false;
    }
}

void table_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    struct slice key = line_value(definition, "partition by ");
    struct slice method = line_value(definition, "access method ");
    struct slice type = line_value(definition, "of ");

    say(delta, "CREATE %sTABLE %s (", line_find(definition, "unlogged") != NULL ? "UNLOGGED " : "",
        change->name);
    add_columns(delta, change, false);
    add_constraints(delta, change);
    say(delta, "\n)");
    if (key.length > 0)
        say(delta, " PARTITION BY %.*s", (int)key.length, key.at);
    if (method.length > 0)
        say(delta, " USING %.*s", (int)method.length, method.at);
    say(delta, ";\n");
    if (type.length > 0)
        say(delta, "ALTER TABLE %s OF %.*s;\n", change->name, (int)type.length, type.at);
    add_columns(delta, change, true);
}

/* A foreign key to its parent keeps the server from dropping a partition, but not from detaching it. */
static void say_detach(struct delta *delta, struct change *table)
{
    struct change *link = change_find(delta, "partition", slice_of(table->name));
    const struct change *parent = table_parent(delta, table, SIDE_FROM);

    if (parent != NULL && parent->action != CHANGE_DROP &&
        line_find(link->definitions[SIDE_FROM], "partition of ") != NULL)
        partition_drop(delta, link);
}

void table_drop(struct delta *delta, struct change *change)
{
    delta_note(delta, "Data is lost: the table %s is dropped.", change->name);
    say_detach(delta, change);
    say(delta, "DROP TABLE %s;\n", change->name);
}

void foreign_table_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    struct slice server = line_value(definition, "server ");
    auto_text struct text options = text_init(SIZE_MAX);

    say(delta, "CREATE FOREIGN TABLE %s (", change->name);
    add_columns(delta, change, false);
    say(delta, "\n) SERVER %.*s", (int)server.length, server.at);
    if (!foreign_options_add(list_of(definition, "options "), &options))
        delta_refuse(delta, change, FOREIGN_SECRET);
    if (options.length > 0)
        say(delta, " OPTIONS (%s)", options.at);
    say(delta, ";\n");
    add_columns(delta, change, true);
}

void foreign_table_alter(struct delta *delta, struct change *change)
{
    struct slice was = list_of(change->definitions[SIDE_FROM], "options ");
    struct slice is = list_of(change->definitions[SIDE_TO], "options ");
    auto_text struct text options = text_init(SIZE_MAX);

    if (slice_is_same(was, is))
        return;
    if (!foreign_options_change(was, is, &options))
        delta_refuse(delta, change, FOREIGN_SECRET);
    say(delta, "ALTER FOREIGN TABLE %s OPTIONS (%s);\n", change->name, options.at);
}

void foreign_table_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP FOREIGN TABLE %s;\n", change->name);
}

void table_alter(struct delta *delta, struct change *change)
{
    bool is_unlogged = line_find(change->definitions[SIDE_TO], "unlogged") != NULL;

    if (is_unlogged != (line_find(change->definitions[SIDE_FROM], "unlogged") != NULL))
        say(delta, "ALTER TABLE %s SET %s;\n", change->name, is_unlogged ? "UNLOGGED" : "LOGGED");
}

/* Adds the columns that are on both sides, or on one alone, in the order of that side. */
static void add_column_order(const struct delta *delta, const struct change *table, enum side side,
                             bool is_shared, struct text *out)
{
    struct slice names = line_value(table->definitions[side], "columns ");

    for (size_t i = 0, length; i < names.length; i += length + strlen(", ")) {
        auto_text struct text name = text_init(SIZE_MAX);
        const struct change *column;

        length = identifier_length((struct slice) { .at = names.at + i, .length = names.length - i });
        if (length == 0)
            return;
        text_add_format(&name, "%s.%.*s", table->name, (int)length, names.at + i);
        column = change_find(delta, "column", text_slice(&name));
        if (column != NULL &&
            (column->definitions[SIDE_FROM] != NULL && column->definitions[SIDE_TO] != NULL) == is_shared)
            text_add_format(out, "%s%.*s", out->length > 0 ? ", " : "", (int)length, names.at + i);
    }
}

static void check_column_order(struct delta *delta, const struct change *table)
{
    struct slice wanted = line_value(table->definitions[SIDE_TO], "columns ");
    auto_text struct text order = text_init(SIZE_MAX);

    add_column_order(delta, table, SIDE_FROM, true, &order);
    add_column_order(delta, table, SIDE_TO, false, &order);
    if (!slice_is_same(text_slice(&order), wanted))
        warn_of(
            delta,
            "the columns of %s will be in another order than in TO: a column can only be added at the end",
            table->name);
}

enum change_action table_decide(struct delta *delta, struct change *change)
{
    static const char *const lines[] = { "access method ", "server ", "of ", "partition by " };
    const char *from = change->definitions[SIDE_FROM];
    const char *to = change->definitions[SIDE_TO];

    for (size_t i = 0; i < array_length(lines); i++) {
        if (!slice_is_same(line_value(from, lines[i]), line_value(to, lines[i]))) {
            delta_refuse(delta, change, "it would have to be made anew, and its data with it");
            return CHANGE_NONE;
        }
    }
    check_column_order(delta, change);
    return CHANGE_ALTER;
}

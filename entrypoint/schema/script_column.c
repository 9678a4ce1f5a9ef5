#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"

static const char *table_of(const struct change *column)
{
    return column->parents[column->definitions[SIDE_TO] == NULL ? SIDE_FROM : SIDE_TO]->name;
}

/* Of what belongs to a column. */
static void say_for_column(struct delta *delta, const struct change *piece, const char *what)
{
    enum side side = piece->definitions[SIDE_TO] == NULL ? SIDE_FROM : SIDE_TO;

    say(delta, "ALTER TABLE %s ALTER COLUMN %s %s;\n", table_of(piece->parents[side]), name_last(piece->name),
        what);
}

static bool is_attribute(const struct change *column)
{
    const struct change *parent = column->parents[column->definitions[SIDE_TO] != NULL];

    return parent != NULL && (parent->kind->traits & KIND_TYPE) != 0;
}

static const char *storage_name(struct slice letter)
{
    static const struct {
        const char *letter;
        const char *name;
    } names[] = { { "p", "PLAIN" }, { "e", "EXTERNAL" }, { "m", "MAIN" }, { "x", "EXTENDED" } };

    for (size_t i = 0; i < array_length(names); i++) {
        if (slice_equals(letter, names[i].letter))
            return names[i].name;
    }
    return "DEFAULT";
}

static void set_options(struct delta *delta, const struct change *column, struct slice options, bool is_set)
{
    auto_text struct text list = text_init(SIZE_MAX);

    if (options.length == 0)
        return;
    if (!options_add(options, is_set, &list))
        delta_refuse(delta, column, "its options cannot be read");
    say(delta, "ALTER TABLE %s ALTER COLUMN %s %s (%s);\n", table_of(column), name_last(column->name),
        is_set ? "SET" : "RESET", list.at);
}

/* The usual storage of a type has a name of its own only since PostgreSQL 16. */
static const char *usual_storage(const struct delta *delta, struct slice type)
{
    static const char *const extended[] = {
        "text", "character varying", "character(", "jsonb", "json", "bytea", "xml"
    };

    if (delta->major >= 16)
        return "DEFAULT";
    for (size_t i = 0; i < array_length(extended); i++) {
        if (slice_starts_with(type, extended[i]))
            return "EXTENDED";
    }
    if (type.length > 2 &&
        slice_equals((struct slice) { .at = type.at + type.length - 2, .length = 2 }, "[]"))
        return "EXTENDED";
    return slice_starts_with(type, "numeric") ? "MAIN" : NULL;
}

static void set_storage(struct delta *delta, const struct change *column, const struct column_text *was,
                        const struct column_text *is)
{
    const char *name = is->storage.length == 0 ? usual_storage(delta, is->type) : storage_name(is->storage);

    if (slice_is_same(was->storage, is->storage))
        return;
    if (name == NULL)
        delta_refuse(delta, column, "the usual storage of its type has no name before PostgreSQL 16");
    else
        say(delta, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s;\n", table_of(column),
            name_last(column->name), name);
}

static void set_foreign_options(struct delta *delta, const struct change *column,
                                const struct column_text *was, const struct column_text *is)
{
    auto_text struct text list = text_init(SIZE_MAX);

    if (!foreign_options_change(was->foreign_options, is->foreign_options, &list))
        delta_refuse(delta, column, FOREIGN_SECRET);
    say(delta, "ALTER FOREIGN TABLE %s ALTER COLUMN %s OPTIONS (%s);\n", table_of(column),
        name_last(column->name), list.at);
}

static void set_settings(struct delta *delta, const struct change *column, const struct column_text *was,
                         const struct column_text *is)
{
    set_storage(delta, column, was, is);
    if (!slice_is_same(was->statistics, is->statistics))
        say(delta, "ALTER TABLE %s ALTER COLUMN %s SET STATISTICS %.*s;\n", table_of(column),
            name_last(column->name), is->statistics.length == 0 ? 2 : (int)is->statistics.length,
            is->statistics.length == 0 ? "-1" : is->statistics.at);
    if (!slice_is_same(was->options, is->options)) {
        set_options(delta, column, was->options, false);
        set_options(delta, column, is->options, true);
    }
    if (!slice_is_same(was->foreign_options, is->foreign_options))
        set_foreign_options(delta, column, was, is);
}

void column_settings(struct delta *delta, const struct change *column)
{
    struct column_text is;

    column_text_read(column->definitions[SIDE_TO], &is);
    set_settings(delta, column, &(const struct column_text) { .is_not_null = false }, &is);
}

void column_create(struct delta *delta, struct change *change)
{
    struct change *parent = change->parents[SIDE_TO];

    /* Those of a new type are in its own statement. */
    if (parent == NULL || (is_attribute(change) && change_is_creating(parent)))
        return;
    if (change->action == CHANGE_RECREATE)
        warn_of(delta, "the column %s is made anew, and will be the last of its table", change->name);
    say(delta, "ALTER %s %s ADD %s ", is_attribute(change) ? "TYPE" : "TABLE", parent->name,
        is_attribute(change) ? "ATTRIBUTE" : "COLUMN");
    column_add(delta, change, &delta->result->script);
    say(delta, ";\n");
    if (!is_attribute(change))
        column_settings(delta, change);
}

/* A column of that table that is new and looks the same may be this one under another name. */
static const struct change *find_renamed(const struct change *dropped)
{
    const struct change *table = dropped->parents[SIDE_FROM];
    const struct change *found = NULL;

    for (size_t i = 0; i < table->children.count; i++) {
        const struct change *child = table->children.items[i];

        if (child->kind == dropped->kind && child->action == CHANGE_CREATE &&
            strcmp(child->definitions[SIDE_TO], dropped->definitions[SIDE_FROM]) == 0)
            found = child;
    }
    return found;
}

void column_drop(struct delta *delta, struct change *change)
{
    const struct change *renamed = find_renamed(change);
    bool is_part = is_attribute(change);

    if (change->action == CHANGE_DROP)
        delta_note(delta, "Data is lost: the column %s is dropped.", change->name);
    if (renamed != NULL)
        delta_note(
            delta,
            "If it was renamed to %s, write ALTER TABLE … RENAME COLUMN instead of dropping and adding it.",
            name_last(renamed->name));
    say(delta, "ALTER %s %s DROP %s %s;\n", is_part ? "TYPE" : "TABLE", change->parents[SIDE_FROM]->name,
        is_part ? "ATTRIBUTE" : "COLUMN", name_last(change->name));
}

static void set_type(struct delta *delta, const struct change *column, const struct column_text *is)
{
    bool is_array = is->type.at[is->type.length - 1] == ']';

    say(delta, "ALTER TABLE %s ALTER COLUMN %s TYPE %.*s", table_of(column), name_last(column->name),
        (int)is->type.length, is->type.at);
    if (is->collation.length > 0)
        say(delta, " COLLATE %.*s", (int)is->collation.length, is->collation.at);
    if (column->is_converted)
        say(delta, " USING %s::text%s::%.*s", name_last(column->name), is_array ? "[]" : "",
            (int)is->type.length, is->type.at);
    say(delta, ";\n");
}

/* Whether a constraint with a name of its own says so. */
static bool has_named_not_null(const struct change *column)
{
    const struct change *table = column->parents[SIDE_TO];
    auto_text struct text wanted = text_init(SIZE_MAX);

    text_add_format(&wanted, "NOT NULL %s", name_last(column->name));
    for (size_t i = 0; i < table->children.count; i++) {
        const char *definition = table->children.items[i]->definitions[SIDE_TO];

        if (strcmp(table->children.items[i]->kind->name, "constraint") == 0 && definition != NULL &&
            strncmp(definition, wanted.at, wanted.length) == 0)
            return true;
    }
    return false;
}

/* Online, a constraint proves that there is no NULL, so that the table is not read under its lock. */
static void set_not_null(struct delta *delta, const struct change *column)
{
    const char *table = table_of(column);
    const char *name = name_last(column->name);

    if (has_named_not_null(column))
        return;
    if (delta->request->is_online) {
        say(delta, "ALTER TABLE %s ADD CONSTRAINT tidelock_not_null CHECK (%s IS NOT NULL) NOT VALID;\n",
            table, name);
        say(delta, "ALTER TABLE %s VALIDATE CONSTRAINT tidelock_not_null;\n", table);
    }
    say(delta, "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;\n", table, name);
    if (delta->request->is_online)
        say(delta, "ALTER TABLE %s DROP CONSTRAINT tidelock_not_null;\n", table);
}

static void set_generated(struct delta *delta, const struct change *column, const struct column_text *was,
                          const struct column_text *is)
{
    if (was->generated.length > 0 && is->generated.length == 0)
        say(delta, "ALTER TABLE %s ALTER COLUMN %s DROP EXPRESSION;\n", table_of(column),
            name_last(column->name));
    else if (is->generated.length > 0 && strcmp(was->expression, is->expression) != 0)
        say(delta, "ALTER TABLE %s ALTER COLUMN %s SET EXPRESSION AS (%s);\n", table_of(column),
            name_last(column->name), is->expression);
}

void column_alter(struct delta *delta, struct change *change)
{
    struct column_text was;
    struct column_text is;

    column_text_read(change->definitions[SIDE_FROM], &was);
    column_text_read(change->definitions[SIDE_TO], &is);
    set_generated(delta, change, &was, &is);
    if (change->is_retyped)
        set_type(delta, change, &is);
    if (is.is_not_null && !was.is_not_null)
        set_not_null(delta, change);
    if (was.is_not_null && !is.is_not_null)
        say(delta, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;\n", table_of(change),
            name_last(change->name));
    set_settings(delta, change, &was, &is);
}

static void check_type(struct delta *delta, const struct change *column, const struct column_text *was,
                       const struct column_text *is)
{
    const struct change *table = column->parents[SIDE_FROM];
    const char *key = table == NULL ? NULL : line_find(table->definitions[SIDE_FROM], "partition by ");

    if (is_attribute(column))
        delta_refuse(delta, column, "the type of an attribute cannot change while columns are of that type");
    else if (key != NULL && text_mentions(key, name_last(column->name)))
        delta_refuse(delta, column, "the table is partitioned by it, so its type cannot change");
    else if (!type_has_assignment_cast(was->type, is->type))
        delta_refuse(delta, column,
                     "its type changes, and how its values become the new one has to be said: USING");
}

enum change_action column_decide(struct delta *delta, struct change *change)
{
    struct column_text was;
    struct column_text is;
    bool is_other_expression;

    column_text_read(change->definitions[SIDE_FROM], &was);
    column_text_read(change->definitions[SIDE_TO], &is);
    is_other_expression =
        was.expression != NULL && is.expression != NULL && strcmp(was.expression, is.expression) != 0;
    if (is.generated.length > 0 &&
        (!slice_is_same(was.generated, is.generated) || (is_other_expression && delta->major < 17)))
        return CHANGE_RECREATE;
    change->is_retyped = !slice_is_same(was.type, is.type) || !slice_is_same(was.collation, is.collation);
    change->is_rekeyed = !type_is_same_base(was.type, is.type);
    if (change->is_retyped)
        check_type(delta, change, &was, &is);
    return CHANGE_ALTER;
}

void default_create(struct delta *delta, struct change *change)
{
    auto_text struct text what = text_init(SIZE_MAX);

    text_add_format(&what, "SET DEFAULT %s", change->definitions[SIDE_TO]);
    say_for_column(delta, change, what.at);
}

void default_drop(struct delta *delta, struct change *change)
{
    say(delta, "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT;\n", table_of(change->parents[SIDE_FROM]),
        name_last(change->name));
}

void identity_create(struct delta *delta, struct change *change)
{
    struct change *sequence = change->sequences[SIDE_TO];
    auto_text struct text what = text_init(SIZE_MAX);

    text_add_format(&what, "ADD GENERATED %s AS IDENTITY", change->definitions[SIDE_TO]);
    if (sequence != NULL) {
        text_add_format(&what, " (SEQUENCE NAME %s", sequence->name);
        sequence_options_add(sequence->definitions[SIDE_TO], true, &what);
        text_add_string(&what, ")");
        sequence->is_written = true;
    }
    say_for_column(delta, change, what.at);
}

void identity_drop(struct delta *delta, struct change *change)
{
    say(delta, "ALTER TABLE %s ALTER COLUMN %s DROP IDENTITY;\n", table_of(change->parents[SIDE_FROM]),
        name_last(change->name));
}

void identity_alter(struct delta *delta, struct change *change)
{
    auto_text struct text what = text_init(SIZE_MAX);

    text_add_format(&what, "SET GENERATED %s", change->definitions[SIDE_TO]);
    say_for_column(delta, change, what.at);
}

void compression_create(struct delta *delta, struct change *change)
{
    say_for_column(delta, change,
                   strcmp(change->definitions[SIDE_TO], "l") == 0 ? "SET COMPRESSION lz4"
                                                                  : "SET COMPRESSION pglz");
}

void compression_drop(struct delta *delta, struct change *change)
{
    if (change->action == CHANGE_DROP)
        say_for_column(delta, change, "SET COMPRESSION DEFAULT");
}

static void change_view_column(struct delta *delta, const struct change *change, enum side side, bool is_set)
{
    static const struct column_text nothing = { .is_not_null = false };
    auto_text struct text typed = text_init(SIZE_MAX);
    const char *table = change->parents[side]->name;
    struct column_text column;

    /* Its type is that of the query. */
    text_add_format(&typed, "x %s", change->definitions[side]);
    column_text_read(typed.at, &column);
    set_settings(delta, change, is_set ? &nothing : &column, is_set ? &column : &nothing);
    if (column.expression != NULL)
        say(delta, "ALTER TABLE %s ALTER COLUMN %s %s DEFAULT %s;\n", table, name_last(change->name),
            is_set ? "SET" : "DROP", is_set ? column.expression : "");
}

void view_column_create(struct delta *delta, struct change *change)
{
    change_view_column(delta, change, SIDE_TO, true);
}

void view_column_drop(struct delta *delta, struct change *change)
{
    change_view_column(delta, change, SIDE_FROM, false);
}

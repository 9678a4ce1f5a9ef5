#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"
#include "sql/quote.h"

void schema_create(struct delta *delta, struct change *change)
{
    say(delta, "CREATE SCHEMA IF NOT EXISTS %s;\n", change->name);
}

void schema_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP SCHEMA %s;\n", change->name);
}

void extension_create(struct delta *delta, struct change *change)
{
    const char *schema = strstr(change->definitions[SIDE_TO], " in ");
    bool has_schema = schema != NULL && object_find(delta, slice_of(schema + strlen(" in ")),
                                                    KIND_OTHER_OBJECT, SIDE_TO) != NULL;

    say(delta, "CREATE EXTENSION IF NOT EXISTS %s", change->name);
    if (has_schema)
        say(delta, " WITH SCHEMA %s", schema + strlen(" in "));
    say(delta, ";\n");
}

void extension_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP EXTENSION %s;\n", change->name);
}

void extension_alter(struct delta *delta, struct change *change)
{
    const char *is = change->definitions[SIDE_TO];
    const char *schema = strstr(is, " in ");
    auto_text struct text version = text_init(SIZE_MAX);
    auto_text struct text quoted = text_init(SIZE_MAX);

    text_add(&version, is, schema == NULL ? strlen(is) : (size_t)(schema - is));
    quote_literal(version.at, &quoted);
    if (strncmp(change->definitions[SIDE_FROM], version.at, version.length) != 0 ||
        change->definitions[SIDE_FROM][version.length] != ' ')
        say(delta, "ALTER EXTENSION %s UPDATE TO %s;\n", change->name, quoted.at);
    if (schema != NULL && strcmp(schema, strstr(change->definitions[SIDE_FROM], " in ")) != 0)
        say(delta, "ALTER EXTENSION %s SET SCHEMA %s;\n", change->name, schema + strlen(" in "));
}

enum change_action alter_decide(struct delta *delta, struct change *change)
{
    (void)delta;
    (void)change;
    return CHANGE_ALTER;
}

void enum_create(struct delta *delta, struct change *change)
{
    say(delta, "CREATE TYPE %s AS ENUM (%s);\n", change->name, change->definitions[SIDE_TO]);
    grants_close(delta, change);
}

/* The next label of a list, with its quotes; empty at the end. */
static struct slice next_label(const char **list)
{
    const char *end = text_find_outside(*list, ", ");
    struct slice label = { .at = *list, .length = end == NULL ? strlen(*list) : (size_t)(end - *list) };

    *list += label.length + (end == NULL ? 0 : strlen(", "));
    return label;
}

/* How the type is called while another one takes its place: "public.mood_old". */
static void add_old_name(const struct change *change, struct text *out)
{
    const char *last = name_last(change->name);
    size_t length = strlen(last);
    bool is_quoted = *last == '"';

    text_add_format(out, "%.*s_old%s", (int)(length - is_quoted), last, is_quoted ? "\"" : "");
}

/* The server cannot take a value out of an enum, nor move it: another type takes its place. */
static enum change_action decide_replacement(struct delta *delta, const struct change *change)
{
    auto_text struct text name = text_init(SIZE_MAX);
    struct slice schema = name_qualifier(change->name);
    size_t count;

    text_add_format(&name, "%.*s.", (int)schema.length, schema.at);
    add_old_name(change, &name);
    provider_find(delta, text_slice(&name), &count);
    if (count > 0)
        delta_refuse(delta, change, "a value goes, and the name that the type would have meanwhile is taken");
    return CHANGE_RECREATE;
}

enum change_action enum_decide(struct delta *delta, struct change *change)
{
    const char *from = change->definitions[SIDE_FROM];
    const char *to = change->definitions[SIDE_TO];

    while (*from != '\0') {
        struct slice wanted = next_label(&from);
        bool is_found = false;

        while (!is_found && *to != '\0')
            is_found = slice_is_same(next_label(&to), wanted);
        if (is_found)
            continue;
        return decide_replacement(delta, change);
    }
    return CHANGE_ALTER;
}

void enum_alter(struct delta *delta, struct change *change)
{
    const char *from = change->definitions[SIDE_FROM];
    const char *to = change->definitions[SIDE_TO];
    struct slice old = next_label(&from);

    while (*to != '\0') {
        struct slice label = next_label(&to);

        if (old.length > 0 && slice_is_same(label, old)) {
            old = next_label(&from);
            continue;
        }
        say(delta, "ALTER TYPE %s ADD VALUE %.*s", change->name, (int)label.length, label.at);
        if (old.length > 0)
            say(delta, " BEFORE %.*s", (int)old.length, old.at);
        say(delta, ";\n");
    }
}

void enum_drop(struct delta *delta, struct change *change)
{
    auto_text struct text name = text_init(SIZE_MAX);

    if (change->action == CHANGE_DROP) {
        type_drop(delta, change);
        return;
    }
    add_old_name(change, &name);
    delta_note(delta, "Fails if a row still has a value that %s loses.", change->name);
    say(delta, "ALTER TYPE %s RENAME TO %s;\n", change->name, name.at);
}

void enum_finish(struct delta *delta, struct change *change)
{
    auto_text struct text name = text_init(SIZE_MAX);
    struct slice schema = name_qualifier(change->name);

    add_old_name(change, &name);
    say(delta, "DROP TYPE %.*s.%s;\n", (int)schema.length, schema.at, name.at);
}

/* "integer\nnot null\ndefault 5" */
void domain_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    struct slice type = line_value(definition, "");
    struct slice collation = line_value(definition, "collate ");
    const char *value = line_find(definition, "default ");

    say(delta, "CREATE DOMAIN %s AS %.*s", change->name, (int)type.length, type.at);
    if (collation.length > 0)
        say(delta, " COLLATE %.*s", (int)collation.length, collation.at);
    if (value != NULL)
        say(delta, " DEFAULT %s", value);
    if (line_find(definition, "not null") != NULL)
        say(delta, " NOT NULL");
    say(delta, ";\n");
    grants_close(delta, change);
}

void domain_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP DOMAIN %s;\n", change->name);
}

void domain_alter(struct delta *delta, struct change *change)
{
    const char *was = change->definitions[SIDE_FROM];
    const char *is = change->definitions[SIDE_TO];
    const char *value = line_find(is, "default ");
    bool is_not_null = line_find(is, "not null") != NULL;

    if (!slice_is_same(line_value(was, "default "), line_value(is, "default ")))
        say(delta, "ALTER DOMAIN %s %s DEFAULT%s%s;\n", change->name, value == NULL ? "DROP" : "SET",
            value == NULL ? "" : " ", value == NULL ? "" : value);
    if (is_not_null != (line_find(was, "not null") != NULL))
        say(delta, "ALTER DOMAIN %s %s NOT NULL;\n", change->name, is_not_null ? "SET" : "DROP");
}

enum change_action domain_decide(struct delta *delta, struct change *change)
{
    (void)delta;
    if (slice_is_same(line_value(change->definitions[SIDE_FROM], ""),
                      line_value(change->definitions[SIDE_TO], "")) &&
        slice_is_same(line_value(change->definitions[SIDE_FROM], "collate "),
                      line_value(change->definitions[SIDE_TO], "collate ")))
        return CHANGE_ALTER;
    return CHANGE_RECREATE;
}

/* What its multirange is called, which is a fact of its own. */
static const char *find_multirange(const struct delta *delta, const struct change *range)
{
    auto_text struct text wanted = text_init(SIZE_MAX);

    text_add_format(&wanted, "of %s", range->name);
    for (size_t i = 0; i < delta->count; i++) {
        const struct change *change = &delta->changes[i];

        if (strcmp(change->kind->name, "multirange") == 0 && change->definitions[SIDE_TO] != NULL &&
            strcmp(change->definitions[SIDE_TO], wanted.at) == 0)
            return change->name;
    }
    return NULL;
}

/* "text collate pg_catalog.\"C\"" */
void range_create(struct delta *delta, struct change *change)
{
    static const char *const names_of_two_words[] = { "double precision", "timestamp with", "time with",
                                                      "character varying", "bit varying" };
    const char *definition = change->definitions[SIDE_TO];
    const char *collation = text_find_outside(definition, " collate ");
    const char *multirange = find_multirange(delta, change);
    size_t length = collation == NULL ? strlen(definition) : (size_t)(collation - definition);
    bool is_plain = memchr(definition, ' ', length) == NULL;

    for (size_t i = 0; i < array_length(names_of_two_words); i++)
        is_plain = is_plain || strncmp(definition, names_of_two_words[i], strlen(names_of_two_words[i])) == 0;
    if (!is_plain)
        delta_refuse(delta, change,
                     "a range with functions or an operator class of its own cannot be written yet");
    say(delta, "CREATE TYPE %s AS RANGE (SUBTYPE = %.*s", change->name, (int)length, definition);
    if (collation != NULL)
        say(delta, ", COLLATION = %s", collation + strlen(" collate "));
    if (multirange != NULL)
        say(delta, ", MULTIRANGE_TYPE_NAME = %s", multirange);
    say(delta, ");\n");
    grants_close(delta, change);
}

void composite_create(struct delta *delta, struct change *change)
{
    for (size_t i = 0; i < change->children.count; i++) {
        struct change *child = change->children.items[i];
        const char *definition = child->definitions[SIDE_TO];

        if (definition != NULL && text_find_outside(definition, " collate ") != NULL)
            delta_refuse(delta, child, "an attribute with a collation of its own");
        if (strcmp(child->kind->name, "column") == 0)
            child->is_written = true;
    }
    say(delta, "CREATE TYPE %s AS (%s);\n", change->name, change->definitions[SIDE_TO]);
    grants_close(delta, change);
}

/* Its attributes are facts, too. */
enum change_action composite_decide(struct delta *delta, struct change *change)
{
    (void)delta;
    (void)change;
    return CHANGE_NONE;
}

void type_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP TYPE %s;\n", change->name);
}

enum change_action type_decide(struct delta *delta, struct change *change)
{
    delta_refuse(delta, change, "such a type cannot change, and columns may be of that type");
    return CHANGE_NONE;
}

void sequence_create(struct delta *delta, struct change *change)
{
    auto_text struct text options = text_init(SIZE_MAX);

    sequence_options_add(change->definitions[SIDE_TO], false, &options);
    say(delta, "CREATE SEQUENCE %s%s;\n", change->name, options.at);
}

void sequence_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP SEQUENCE %s;\n", change->name);
}

/* All of its options, so that none keeps a value of before. */
void sequence_alter(struct delta *delta, struct change *change)
{
    auto_text struct text options = text_init(SIZE_MAX);
    const char *definition = change->definitions[SIDE_TO];

    for (const char *at = definition; *at != '\0'; at++) {
        char c = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;

        text_add(&options, &c, 1);
    }
    say(delta, "ALTER SEQUENCE %s %s%s;\n", change->name, options.at,
        text_ends_with(definition, " cycle") ? "" : " NO CYCLE");
}

void sequence_owner_create(struct delta *delta, struct change *change)
{
    say(delta, "ALTER SEQUENCE %s OWNED BY %s;\n", change->name, change->definitions[SIDE_TO]);
}

void sequence_owner_drop(struct delta *delta, struct change *change)
{
    say(delta, "ALTER SEQUENCE %s OWNED BY NONE;\n", change->name);
}

void sequence_unlogged_create(struct delta *delta, struct change *change)
{
    say(delta, "ALTER SEQUENCE %s SET UNLOGGED;\n", change->name);
}

void sequence_unlogged_drop(struct delta *delta, struct change *change)
{
    say(delta, "ALTER SEQUENCE %s SET LOGGED;\n", change->name);
}

#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "schema/script_split.h"

/* Prints `definition` without a last line that begins so; returns what stands behind that, or NULL. */
static const char *say_without_line(struct delta *delta, const char *definition, const char *begin)
{
    const char *line = text_find_outside(definition, begin);
    size_t length = line == NULL ? strlen(definition) : (size_t)(line - definition);

    length -= length > 0 && definition[length - 1] == ';';
    say(delta, "%.*s;\n", (int)length, definition);
    return line == NULL ? NULL : line + strlen(begin);
}

const char *enabling(const char *letter)
{
    return *letter == 'D'   ? "DISABLE"
           : *letter == 'A' ? "ENABLE ALWAYS"
           : *letter == 'R' ? "ENABLE REPLICA"
                            : "ENABLE";
}

void routine_replace(struct delta *delta, struct change *change)
{
    say(delta, "%s;\n", change->definitions[SIDE_TO]);
}

void routine_create(struct delta *delta, struct change *change)
{
    routine_replace(delta, change);
    grants_close(delta, change);
}

void routine_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP ROUTINE %s;\n", change->name);
}

/* CREATE OR REPLACE cannot change what it returns, nor take a default away. */
enum change_action routine_decide(struct delta *delta, struct change *change)
{
    const char *from = change->definitions[SIDE_FROM];
    const char *to = change->definitions[SIDE_TO];
    const char *from_end = text_find_outside(from, "\n LANGUAGE ");
    const char *to_end = text_find_outside(to, "\n LANGUAGE ");
    bool is_same_head = from_end != NULL && to_end != NULL && from_end - from == to_end - to &&
                        strncmp(from, to, (size_t)(to_end - to)) == 0;

    (void)delta;
    return is_same_head ? CHANGE_ALTER : CHANGE_RECREATE;
}

/* The view's own query stands behind the line of its columns. */
static const char *query_of(const char *definition)
{
    const char *columns = line_find(definition, "columns ");
    const char *end = columns == NULL ? NULL : text_find_outside(columns, "\n");

    return end == NULL ? "" : end + 1;
}

static void say_view(struct delta *delta, const struct change *change, const char *what)
{
    const char *definition = change->definitions[SIDE_TO];
    struct slice method = line_value(definition, "access method ");

    say(delta, "CREATE %s %s", what, change->name);
    if (method.length > 0)
        say(delta, " USING %.*s", (int)method.length, method.at);
    say(delta, " AS\n%s\n", query_of(definition));
}

void view_create(struct delta *delta, struct change *change)
{
    say_view(delta, change, "VIEW");
}

void view_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP VIEW %s;\n", change->name);
}

void matview_create(struct delta *delta, struct change *change)
{
    say_view(delta, change, "MATERIALIZED VIEW");
}

void matview_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP MATERIALIZED VIEW %s;\n", change->name);
}

void trigger_create(struct delta *delta, struct change *change)
{
    const char *letter = say_without_line(delta, change->definitions[SIDE_TO], "\nenabled ");

    if (letter != NULL)
        say(delta, "ALTER TABLE %s %s TRIGGER %s;\n", change->parents[SIDE_TO]->name, enabling(letter),
            name_last(change->name));
}

void trigger_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP TRIGGER %s ON %s;\n", name_last(change->name), change->parents[SIDE_FROM]->name);
}

void rule_create(struct delta *delta, struct change *change)
{
    const char *letter;

    if (strcmp(name_last(change->name), "\"_RETURN\"") == 0) {
        delta_refuse(delta, change, "it is the query of a view, which is disabled");
        return;
    }
    letter = say_without_line(delta, change->definitions[SIDE_TO], "\nenabled ");

    if (letter != NULL)
        say(delta, "ALTER TABLE %s %s RULE %s;\n", change->parents[SIDE_TO]->name, enabling(letter),
            name_last(change->name));
}

void rule_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP RULE %s ON %s;\n", name_last(change->name), change->parents[SIDE_FROM]->name);
}

static const char *command_name(char letter)
{
    return letter == 'r'   ? "SELECT"
           : letter == 'a' ? "INSERT"
           : letter == 'w' ? "UPDATE"
           : letter == 'd' ? "DELETE"
                           : "ALL";
}

/* "permissive for r to public\nusing (…)\nwith check (…)" */
void policy_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    const char *command = strstr(definition, " for ");
    const char *check = text_find_outside(definition, "\nwith check ");
    const char *using = text_find_outside(definition, "\nusing ");
    struct slice roles;

    if (command == NULL || strncmp(command + strlen(" for x"), " to ", strlen(" to ")) != 0) {
        delta_refuse(delta, change, "it cannot be read");
        return;
    }
    roles = line_value(command + strlen(" for x to "), "");
    say(delta, "CREATE POLICY %s ON %s AS %.*s FOR %s TO %.*s", name_last(change->name),
        change->parents[SIDE_TO]->name, (int)(command - definition), definition,
        command_name(command[strlen(" for ")]), (int)roles.length, roles.at);
    if (using != NULL) {
        using += strlen("\nusing ");
        say(delta, " USING (%.*s)", check == NULL ? (int)strlen(using) : (int)(check - using), using);
    }
    if (check != NULL)
        say(delta, " WITH CHECK (%s)", check + strlen("\nwith check "));
    say(delta, ";\n");
}

void policy_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP POLICY %s ON %s;\n", name_last(change->name), change->parents[SIDE_FROM]->name);
}

/* "ddl_command_end O public.f TAG, TAG" */
void event_trigger_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    size_t event = strcspn(definition, " ");
    const char *function = strlen(definition) > event + 3 ? definition + event + 3 : "";
    struct slice name = name_without_arguments(function);
    const char *tags = name.at + name.length;

    say(delta, "CREATE EVENT TRIGGER %s ON %.*s", change->name, (int)event, definition);
    for (bool is_first = true; *tags != '\0'; is_first = false) {
        tags += strspn(tags, ", ");
        say(delta, "%s'%.*s'", is_first ? " WHEN TAG IN (" : ", ", (int)strcspn(tags, ","), tags);
        tags += strcspn(tags, ",");
    }
    say(delta, "%s EXECUTE FUNCTION %.*s();\n", tags == name.at + name.length ? "" : ")", (int)name.length,
        name.at);
    if (definition[event + 1] != 'O')
        say(delta, "ALTER EVENT TRIGGER %s %s;\n", change->name, enabling(definition + event + 1));
}

void event_trigger_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP EVENT TRIGGER %s;\n", change->name);
}

#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"

/* "all tables insert update via root" */
static void add_publication_options(const struct delta *delta, const char *definition, struct text *out)
{
    static const char *const operations[] = { "insert", "update", "delete", "truncate" };
    bool is_first = true;

    text_add_string(out, "publish = '");
    for (size_t i = 0; i < array_length(operations); i++) {
        if (strstr(definition, operations[i]) == NULL)
            continue;
        text_add_format(out, "%s%s", is_first ? "" : ", ", operations[i]);
        is_first = false;
    }
    if (delta->major >= 18)
        text_add_format(out, "', publish_generated_columns = '%s",
                        strstr(definition, "stored generated columns") != NULL ? "stored" : "none");
    text_add_format(out, "', publish_via_partition_root = %s",
                    strstr(definition, "via root") != NULL ? "true" : "false");
}

static bool is_for_all(const char *definition)
{
    return strncmp(definition, "all tables", strlen("all tables")) == 0;
}

void publication_create(struct delta *delta, struct change *change)
{
    auto_text struct text options = text_init(SIZE_MAX);

    add_publication_options(delta, change->definitions[SIDE_TO], &options);
    say(delta, "CREATE PUBLICATION %s%s WITH (%s);\n", change->name,
        is_for_all(change->definitions[SIDE_TO]) ? " FOR ALL TABLES" : "", options.at);
}

void publication_drop(struct delta *delta, struct change *change)
{
    say(delta, "DROP PUBLICATION %s;\n", change->name);
}

void publication_alter(struct delta *delta, struct change *change)
{
    auto_text struct text options = text_init(SIZE_MAX);

    add_publication_options(delta, change->definitions[SIDE_TO], &options);
    say(delta, "ALTER PUBLICATION %s SET (%s);\n", change->name, options.at);
}

enum change_action publication_decide(struct delta *delta, struct change *change)
{
    (void)delta;
    return is_for_all(change->definitions[SIDE_FROM]) == is_for_all(change->definitions[SIDE_TO])
               ? CHANGE_ALTER
               : CHANGE_RECREATE;
}

/* The name is "news public.t" or "news schema s". */
static void say_published(struct delta *delta, const struct change *change, const char *verb)
{
    struct slice publication = name_without_arguments(change->name);
    const char *object = change->name + publication.length;
    bool is_schema = strncmp(object, " schema ", strlen(" schema ")) == 0;

    say(delta, "ALTER PUBLICATION %.*s %s %s%s", (int)publication.length, publication.at, verb,
        is_schema ? "TABLES IN SCHEMA" : "TABLE", is_schema ? object + strlen(" schema") : object);
}

/* The definition is "where (…) columns a, b", or part of it. */
void published_create(struct delta *delta, struct change *change)
{
    const char *definition = change->definitions[SIDE_TO];
    const char *columns = text_find_outside(definition, "columns ");
    size_t length = columns == NULL ? strlen(definition) : (size_t)(columns - definition);

    say_published(delta, change, "ADD");
    if (columns != NULL)
        say(delta, " (%s)", columns + strlen("columns "));
    if (strncmp(definition, "where ", strlen("where ")) == 0)
        say(delta, " WHERE (%.*s)", (int)(length - strlen("where ")), definition + strlen("where "));
    say(delta, ";\n");
}

void published_drop(struct delta *delta, struct change *change)
{
    say_published(delta, change, "DROP");
    say(delta, ";\n");
}

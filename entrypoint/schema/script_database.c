#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "sql/quote.h"

/* What is done to the database in which the script runs, whatever its name. The statement has %I for it. */
void say_for_database(struct delta *delta, const char *statement)
{
    auto_text struct text body = text_init(SIZE_MAX);
    auto_text struct text literal = text_init(SIZE_MAX);

    text_add_string(&body, "BEGIN EXECUTE pg_catalog.format(");
    quote_literal(statement, &body);
    text_add_string(&body, ", pg_catalog.current_database()); END");
    quote_literal(body.at, &literal);
    say(delta, "DO %s;\n", literal.at);
}

/* Adds to a template: a percent sign stands for itself. */
static void add_to_template(const char *plain, struct text *out)
{
    for (; *plain != '\0'; plain++)
        text_add_format(out, "%c%s", *plain, *plain == '%' ? "%" : "");
}

void database_grant(struct delta *delta, const char *what, const char *grantee)
{
    auto_text struct text statement = text_init(SIZE_MAX);

    text_add_format(&statement, "%s ON DATABASE %%I ", what);
    add_to_template(grantee, &statement);
    say_for_database(delta, statement.at);
}

/* Settings that are lists of names keep the quotes of each. */
static bool is_list_of_names(const char *name)
{
    static const char *const names[] = { "search_path", "temp_tablespaces", "session_preload_libraries",
                                         "local_preload_libraries", "createrole_self_grant" };

    for (size_t i = 0; i < array_length(names); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Whether it is a list of identifiers, so that it may stand in a statement as it is. */
static bool are_identifiers(const char *value)
{
    for (;;) {
        size_t length = identifier_length(slice_of(value));

        if (length == 0)
            return strcmp(value, "\"\"") == 0;
        value += length;
        if (*value == '\0')
            return true;
        if (strncmp(value, ", ", strlen(", ")) != 0)
            return false;
        value += strlen(", ");
    }
}

static bool add_value(const char *name, const char *value, struct text *out)
{
    auto_text struct text literal = text_init(SIZE_MAX);

    if (is_list_of_names(name) && !are_identifiers(value))
        return false;
    if (!is_list_of_names(name))
        quote_literal(value, &literal);
    add_to_template(is_list_of_names(name) ? value : literal.at, out);
    return true;
}

/* The name is "work_mem", or "work_mem of role". */
static void set(struct delta *delta, const struct change *change, const char *value)
{
    const char *of = strstr(change->name, " of ");
    auto_text struct text statement = text_init(SIZE_MAX);
    auto_text struct text name = text_init(SIZE_MAX);

    text_add(&name, change->name, of == NULL ? strlen(change->name) : (size_t)(of - change->name));
    if (of != NULL) {
        text_add_string(&statement, "ALTER ROLE ");
        add_to_template(of + strlen(" of "), &statement);
        text_add_string(&statement, " IN DATABASE %I ");
    } else
        text_add_string(&statement, "ALTER DATABASE %I ");
    text_add_format(&statement, value == NULL ? "RESET %s" : "SET %s = ", name.at);
    if (!name_has_parts(name.at, 1) || (value != NULL && !add_value(name.at, value, &statement))) {
        delta_refuse(delta, change, "its value may be a secret, which no snapshot holds, or cannot be read");
        return;
    }
    say_for_database(delta, statement.at);
}

void setting_create(struct delta *delta, struct change *change)
{
    set(delta, change, change->definitions[SIDE_TO]);
}

void setting_drop(struct delta *delta, struct change *change)
{
    if (change->action == CHANGE_DROP)
        set(delta, change, NULL);
}

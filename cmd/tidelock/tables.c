#include "tables.h"

#include <stddef.h>

#include "command.h"
#include "config/options.h"
#include "exits.h"
#include "manual.h"
#include "sql/directive.h"
#include "surroundings.h"

enum { CELL_MOST = 4096 };

/* What `add` says about the option, or null if it says nothing. */
static void set_said(struct json *object, const char *key, const struct option *option,
                     void (*add)(const struct option *option, struct text *out))
{
    auto_text struct text said = text_init(CELL_MOST);

    add(option, &said);
    json_set_text(object, key, said.length == 0 ? NULL : said.at);
}

static struct json *command_names(unsigned bits)
{
    struct json *names = json_new_array();

    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        if ((COMMANDS[i]->options & bits) != 0)
            json_append_text(names, COMMANDS[i]->name);
    }
    return names;
}

static struct json *commands_json(void)
{
    struct json *rows = json_new_array();

    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        struct json *row = json_new_object();

        json_set_text(row, "name", COMMANDS[i]->name);
        json_set_text(row, "usage", COMMANDS[i]->usage);
        json_set_text(row, "summary", COMMANDS[i]->summary);
        json_set_text(row, "about", COMMANDS[i]->about);
        json_set_text(row, "example", COMMANDS[i]->example);
        json_append(rows, row);
    }
    return rows;
}

static struct json *option_json(const struct option *option)
{
    struct json *row = json_new_object();
    struct json *choices = json_new_array();

    for (size_t i = 0; i < option->choice_count; i++)
        json_append_text(choices, option->choices[i]);
    json_set_text(row, "name", option->name);
    json_set_text(row, "group", OPTION_GROUP_NAMES[option->group]);
    json_set_bool(row, "usual", (option->traits & OPTION_USUAL) != 0);
    json_set_text(row, "value", option->value);
    json_set_text(row, "default", option->standard);
    json_set(row, "choices", choices);
    json_set(row, "commands", command_names(option->commands));
    set_said(row, "flag", option, option_add_usage);
    set_said(row, "environment", option, option_add_variables);
    set_said(row, "key", option, option_add_key);
    set_said(row, "range", option, option_add_range);
    set_said(row, "text", option, option_add_text);
    return row;
}

static struct json *options_json(void)
{
    struct json *rows = json_new_array();

    for (const struct option *option = OPTIONS; option->name != NULL; option++)
        json_append(rows, option_json(option));
    return rows;
}

static struct json *directives_json(void)
{
    struct json *rows = json_new_array();

    for (const struct directive *directive = DIRECTIVES; directive->name != NULL; directive++) {
        struct json *row = json_new_object();

        json_set_text(row, "name", directive->name);
        json_set_text(row, "usage", directive->usage);
        json_set_text(row, "meaning", directive->meaning);
        json_append(rows, row);
    }
    return rows;
}

static struct json *exits_json(void)
{
    struct json *rows = json_new_array();

    for (const struct exit_row *exit = EXITS; exit->meaning != NULL; exit++) {
        auto_text struct text code = text_init(16);
        struct json *row = json_new_object();

        exit_add_code(exit, &code);
        json_set_text(row, "code", code.at);
        json_set_bool(row, "retry", exit->is_retry_useful);
        json_set_text(row, "meaning", exit->meaning);
        json_set(row, "commands", command_names(exit->commands));
        json_append(rows, row);
    }
    return rows;
}

static struct json *surroundings_json(const struct surrounding *surrounding)
{
    struct json *rows = json_new_array();

    for (; surrounding->names != NULL; surrounding++) {
        struct json *row = json_new_object();

        json_set_text(row, "names", surrounding->names);
        json_set_text(row, "meaning", surrounding->meaning);
        json_append(rows, row);
    }
    return rows;
}

struct json *tables_json(void)
{
    auto_text struct text description = text_init(CELL_MOST);
    struct json *tables = json_new_object();

    manual_description(&description);
    json_set_text(tables, "description", description.at);
    json_set(tables, "commands", commands_json());
    json_set(tables, "options", options_json());
    json_set(tables, "directives", directives_json());
    json_set(tables, "exits", exits_json());
    json_set(tables, "environment", surroundings_json(ENVIRONMENT));
    json_set(tables, "files", surroundings_json(FILES));
    return tables;
}

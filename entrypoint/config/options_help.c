#include <string.h>

#include "base/memory.h"
#include "config/options.h"

enum { HELP_COLUMNS = 80, HELP_INDENT = 6 };

/* Words of `help` in lines of a paragraph. */
static void wrap(const char *help, struct text *out)
{
    size_t column = 0;

    while (*help != '\0') {
        size_t length = strcspn(help, " ");

        if (column == 0 || column + 1 + length > HELP_COLUMNS) {
            text_add_format(out, "%s%*s", column == 0 ? "" : "\n", HELP_INDENT, "");
            column = HELP_INDENT;
        } else {
            text_add(out, " ", 1);
            column++;
        }
        text_add(out, help, length);
        column += length;
        help += length + (help[length] == ' ' ? 1 : 0);
    }
}

/* The foreign name where there is one: that is the one people know. */
static void add_variable(const struct option *option, struct text *out)
{
    char variable[OPTION_NAME_MOST];

    option_variable(option, variable);
    text_add_string(out, option->environment != NULL ? option->environment : variable);
    if (option->file_field != 0)
        text_add_format(out, ", %s_FILE", option->environment != NULL ? option->environment : variable);
}

static void add_choices(const struct option *option, const char *between, struct text *out)
{
    for (size_t i = 0; i < option->choice_count; i++)
        text_add_format(out, "%s%s", i == 0 ? "" : between, option->choices[i]);
}

static void add_paragraph(const struct option *option, struct text *out)
{
    auto_text struct text about = text_init(4096);

    text_add_format(out, "  --%s%s%s\n", option->name, option->value == NULL ? "" : " ",
                    option->value == NULL ? "" : option->value);
    text_add_string(&about, option->help);
    if (option->choice_count > 0) {
        text_add_string(&about, ": ");
        add_choices(option, ", ", &about);
    }
    if (option->standard != NULL)
        text_add_format(&about, " (default %s)", option->standard);
    if ((option->traits & OPTION_FLAG_ONLY) == 0) {
        text_add_string(&about, " [");
        add_variable(option, &about);
        text_add_string(&about, "]");
    }
    wrap(about.at, out);
    text_add_string(out, "\n");
}

void options_help(unsigned command, struct text *out)
{
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if ((option->commands & command) != 0)
            add_paragraph(option, out);
    }
}

static const struct {
    unsigned command;
    const char *name;
} COMMAND_NAMES[] = {
    { FOR_DEPLOY, "deploy" },     { FOR_RUN, "run" },       { FOR_WAIT, "wait" },
    { FOR_READY, "ready" },       { FOR_STATUS, "status" }, { FOR_RESOLVE, "resolve" },
    { FOR_BASELINE, "baseline" }, { FOR_BUDGET, "budget" }, { FOR_INSTALL, "install" },
    { FOR_VERSION, "version" },
};

static void add_commands(const struct option *option, struct text *out)
{
    bool has_any = false;

    if (option->commands == FOR_ALL) {
        text_add_string(out, "all");
        return;
    }
    if (option->commands == FOR_DATABASE || option->commands == FOR_FOLDER) {
        text_add_string(out, option->commands == FOR_DATABASE ? "all that use the database"
                                                              : "all that use the folder");
        return;
    }
    for (size_t i = 0; i < array_length(COMMAND_NAMES); i++) {
        if ((option->commands & COMMAND_NAMES[i].command) == 0)
            continue;
        text_add_format(out, "%s%s", has_any ? ", " : "", COMMAND_NAMES[i].name);
        has_any = true;
    }
}

void options_reference(struct text *out)
{
    text_add_string(out,
                    "| flag | environment | key in tidelock.yaml | default | commands | |\n"
                    "| --- | --- | --- | --- | --- | --- |\n");
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        char key[OPTION_NAME_MOST];
        bool has_variable = (option->traits & OPTION_FLAG_ONLY) == 0;
        bool has_key = has_variable && (option->traits & OPTION_NOT_IN_FILE) == 0;

        option_key(option, key);
        text_add_format(out, "| `--%s%s%s` | ", option->name, option->value == NULL ? "" : " ",
                        option->value == NULL ? "" : option->value);
        if (has_variable)
            add_variable(option, out);
        text_add_format(out, " | %s | %s | ", has_key ? key : "",
                        option->standard == NULL ? "" : option->standard);
        add_commands(option, out);
        text_add_format(out, " | %s", option->help);
        if (option->choice_count > 0) {
            text_add_string(out, ": ");
            add_choices(option, ", ", out);
        }
        text_add_string(out, " |\n");
    }
}

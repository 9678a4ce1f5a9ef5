#include "facts.h"

#include "command.h"

static void add_choices(const struct option *option, struct text *out)
{
    option_add_choices(option, ", ", out);
}

static void add_commands(const struct option *option, struct text *out)
{
    if (option->commands == FOR_ALL)
        text_add_string(out, "all");
    else
        commands_add_names(option->commands, ", ", out);
}

const struct fact FACTS[] = {
    { "Environment", option_add_variables },
    { "tidelock.yaml", option_add_key },
    { "Default", option_add_standard },
    { "Range", option_add_range },
    { "Choices", add_choices },
    { "Commands", add_commands },
    { NULL, NULL },
};

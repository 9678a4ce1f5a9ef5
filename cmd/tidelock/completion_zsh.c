#include <stddef.h>

#include "completion.h"

static const char HEAD[] =
    "#compdef tidelock\n"
    "# Completion of tidelock for zsh, made by: tidelock completion zsh\n"
    "_tidelock() {\n"
    "    local -a subcommands=(\n";

static const char AFTER_COMMANDS[] =
    "    )\n"
    "    if (( CURRENT == 2 )); then\n"
    "        _describe -t commands command subcommands\n"
    "        return\n"
    "    fi\n"
    "    shift words\n"
    "    (( CURRENT-- ))\n"
    "    case $words[1] in\n";

/* Either compinit finds the file and calls it as the function, or it is sourced. */
static const char TAIL[] =
    "    esac\n"
    "}\n"
    "if [[ $funcstack[1] == _tidelock ]]; then\n"
    "    _tidelock \"$@\"\n"
    "else\n"
    "    compdef _tidelock tidelock\n"
    "fi\n";

static const struct {
    const char *before;
    const char *after;
} ACTIONS[] = {
    [COMPLETING_NOTHING] = { ": ", "" },
    [COMPLETING_CHOICE] = { ":(", ")" },
    [COMPLETING_CHOICES] = { ":_values -s , value ", "" },
    [COMPLETING_FILE] = { ":_files", "" },
    [COMPLETING_FOLDER] = { ":_files -/", "" },
};

static void add_quoted(const char *words, struct text *out)
{
    completion_add_quoted(words, "'\\''", "[]:\\", out);
}

/* '--log-format=[the format of the log]:FORMAT:(text json)' */
static void add_option(const struct option *option, struct text *out)
{
    text_add_format(out, " \\\n                '--%s%s[", option->name, option_is_flag(option) ? "" : "=");
    add_quoted(option->help, out);
    text_add_string(out, "]");
    if (!option_is_flag(option)) {
        text_add_format(out, ":%s%s", option->value, ACTIONS[completing_of(option)].before);
        option_add_choices(option, " ", out);
        text_add_string(out, ACTIONS[completing_of(option)].after);
    }
    text_add_string(out, "'");
}

static void add_words(enum words words, struct text *out)
{
    if (words == WORDS_PROGRAM)
        text_add_string(out, " \\\n                '*::CMD:_normal'");
    if (words == WORDS_FOLDER)
        text_add_string(out, " \\\n                ':DIR:_files -/'");
    if (words == WORDS_SHELL) {
        text_add_string(out, " \\\n                ':SHELL:(");
        completion_add_words(words, out);
        text_add_string(out, ")'");
    }
}

static void add_command(const struct command *command, struct text *out)
{
    text_add_format(out, "        %s)\n            ", command->name);
    if (command->words == WORDS_TOPIC) {
        text_add_string(out, "compadd -- ");
        completion_add_words(command->words, out);
    } else {
        text_add_string(out, "_arguments -S");
        for (const struct option *option = OPTIONS; option->name != NULL; option++) {
            if ((option->commands & command->options) != 0)
                add_option(option, out);
        }
        add_words(command->words, out);
    }
    text_add_string(out, "\n            ;;\n");
}

void completion_write_zsh(struct text *out)
{
    text_add_string(out, HEAD);
    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        text_add_format(out, "        '%s:", COMMANDS[i]->name);
        add_quoted(COMMANDS[i]->summary, out);
        text_add_string(out, "'\n");
    }
    text_add_string(out, AFTER_COMMANDS);
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        add_command(COMMANDS[i], out);
    text_add_string(out, TAIL);
}

#include <stddef.h>

#include "completion.h"

/* Whether the typed command is one of those named, and whether the cursor is before or after "--". */
static const char HEAD[] =
    "# Completion of tidelock for fish, made by: tidelock completion fish\n"
    "function __tidelock_in\n"
    "    set -l words (commandline -opc)\n"
    "    set -q words[2]; and contains -- $words[2] $argv; and not contains -- -- $words\n"
    "end\n"
    "function __tidelock_behind\n"
    "    set -l words (commandline -opc)\n"
    "    set -q words[2]; and contains -- $words[2] $argv; and contains -- -- $words\n"
    "end\n"
    "function __tidelock_program\n"
    "    set -l words (commandline -opc)\n"
    "    set -e words[1..(contains -i -- -- $words)]\n"
    "    set -a words (commandline -ct)\n"
    "    complete -C \"$words\"\n"
    "end\n"
    "complete -c tidelock -f\n"
    "complete -c tidelock -n __fish_is_first_token -l help\n"
    "complete -c tidelock -n __fish_is_first_token -l version\n";

static const struct {
    const char *before;
    const char *after;
} ACTIONS[] = {
    [COMPLETING_NOTHING] = { " -x", "" },
    [COMPLETING_CHOICE] = { " -x -a '", "'" },
    [COMPLETING_CHOICES] = { " -x -a '(__fish_append , ", ")'" },
    [COMPLETING_FILE] = { " -r -F", "" },
    [COMPLETING_FOLDER] = { " -x -a '(__fish_complete_directories)'", "" },
};

static void add_description(const char *words, struct text *out)
{
    text_add_string(out, " -d '");
    completion_add_quoted(words, "\\'", "\\", out);
    text_add_string(out, "'\n");
}

static void add_option(const struct option *option, struct text *out)
{
    text_add_string(out, "complete -c tidelock -n '__tidelock_in ");
    commands_add_names(option->commands, " ", out);
    text_add_format(out, "' -l %s", option->name);
    if (!option_is_flag(option)) {
        text_add_string(out, ACTIONS[completing_of(option)].before);
        option_add_choices(option, " ", out);
        text_add_string(out, ACTIONS[completing_of(option)].after);
    }
    add_description(option->help, out);
}

static void add_words(const struct command *command, struct text *out)
{
    if (command->words == WORDS_NONE)
        return;
    if (command->words == WORDS_PROGRAM) {
        text_add_format(out, "complete -c tidelock -n '__tidelock_behind %s' -a '(__tidelock_program)'\n",
                        command->name);
        return;
    }
    text_add_format(out, "complete -c tidelock -n '__tidelock_in %s' -a '", command->name);
    if (command->words == WORDS_FOLDER)
        text_add_string(out, "(__fish_complete_directories)");
    completion_add_words(command->words, out);
    text_add_string(out, "'\n");
}

void completion_write_fish(struct text *out)
{
    text_add_string(out, HEAD);
    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        text_add_format(out, "complete -c tidelock -n __fish_is_first_token -a %s", COMMANDS[i]->name);
        add_description(COMMANDS[i]->summary, out);
        add_words(COMMANDS[i], out);
    }
    for (const struct option *option = OPTIONS; option->name != NULL; option++)
        add_option(option, out);
}

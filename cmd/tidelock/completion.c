#include "completion.h"

#include <string.h>

#include "dialect/dialect.h"
#include "print.h"

enum { SCRIPT_MOST = 256 * 1024 };

const struct shell SHELLS[] = {
    { "bash", completion_write_bash },
    { "zsh", completion_write_zsh },
    { "fish", completion_write_fish },
    { NULL, NULL },
};

enum completing completing_of(const struct option *option)
{
    if (option->type == OPTION_CHOICE)
        return COMPLETING_CHOICE;
    if (option->type == OPTION_CHOICES)
        return COMPLETING_CHOICES;
    if (option->value != NULL && strcmp(option->value, "FILE") == 0)
        return COMPLETING_FILE;
    if (option->value != NULL && strcmp(option->value, "DIR") == 0)
        return COMPLETING_FOLDER;
    return COMPLETING_NOTHING;
}

void completion_add_words(enum words words, struct text *out)
{
    if (words == WORDS_SHELL) {
        for (const struct shell *shell = SHELLS; shell->name != NULL; shell++)
            text_add_format(out, "%s%s", shell == SHELLS ? "" : " ", shell->name);
        return;
    }
    if (words != WORDS_TOPIC)
        return;
    commands_add_names(~0u, " ", out);
    text_add_string(out, " directives exit-codes");
    for (size_t i = FORMAT_AUTO + 1; i < FORMATS; i++)
        text_add_format(out, " %s", FORMAT_NAMES[i]);
    for (const struct option *option = OPTIONS; option->name != NULL; option++)
        text_add_format(out, " --%s", option->name);
}

void completion_add_quoted(const char *words, const char *quote, const char *special, struct text *out)
{
    for (; *words != '\0'; words++) {
        if (*words == '\'') {
            text_add_string(out, quote);
            continue;
        }
        if (strchr(special, *words) != NULL)
            text_add_string(out, "\\");
        text_add(out, words, 1);
    }
}

static bool completion_run(struct arena *arena, const struct config *config, int *exit_code,
                           struct error *err)
{
    auto_text struct text script = text_init(SCRIPT_MOST);
    auto_text struct text names = text_init(SCRIPT_MOST);
    const struct shell *shell = SHELLS;

    (void)arena;
    (void)exit_code;
    while (config->word_count == 1 && shell->name != NULL && strcmp(shell->name, config->words[0]) != 0)
        shell++;
    if (config->word_count != 1 || shell->name == NULL) {
        completion_add_words(WORDS_SHELL, &names);
        error_set(err, ERROR_USAGE, "completion needs the name of a shell: %s", names.at);
        return error_hint(err, "Write: tidelock completion %s", SHELLS[0].name);
    }
    shell->write(&script);
    print_text(script.at);
    return true;
}

const struct command COMMAND_COMPLETION = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "print the completion script for a shell",
    .about =
        "Prints a script that lets the shell complete commands, options and their values. \"make "
        "install\" installs all three scripts.",
    .example = "source <(tidelock completion bash)",
    .options = FOR_COMPLETION,
    .words = WORDS_SHELL,
    .run = completion_run,
};

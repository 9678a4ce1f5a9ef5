#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/signals.h"
#include "command.h"
#include "config/load.h"
#include "config/options.h"
#include "config/secret.h"
#include "config/trust.h"
#include "credentials/password.h"
#include "exits.h"
#include "help.h"
#include "http/request.h"
#include "print.h"
#include "strangers.h"
#include "version.h"

enum { COMMANDS_MOST = 32, WORD_MOST = 4096 };

/* Nobody knows the command `name`; it was typed behind `before`, or NULL. */
static bool refuse_command(const char *before, const char *name, struct error *err)
{
    const char *names[COMMANDS_MOST];
    char shown[WORD_MOST];
    size_t count = 0;
    const char *nearest;
    const char *advice = stranger_advice(before, name);

    /* What follows "=" may be a secret. */
    (void)snprintf(shown, sizeof shown, "%.*s", (int)strcspn(name, name[0] == '-' ? "=" : ""), name);
    if (!secret_check_word(shown, err))
        return false;
    if (name[0] == '-') {
        error_set(err, ERROR_USAGE, "no command given before the option %s", shown);
        return error_hint(err, "Options follow the command: tidelock COMMAND [OPTION]...");
    }
    for (; COMMANDS[count] != NULL; count++)
        names[count] = COMMANDS[count]->name;
    nearest = names_nearest(names, count, name);
    error_set(err, ERROR_USAGE, "unknown command \"%s%s%s\"", before == NULL ? "" : before,
              before == NULL ? "" : " ", shown);
    if (advice != NULL)
        return error_hint(err, "%s", advice);
    if (nearest != NULL)
        return error_hint(err, "Did you mean: tidelock %s", nearest);
    return error_hint(err, "To see all commands: tidelock help");
}

static bool is_help(const char *word)
{
    return strcmp(word, COMMAND_HELP.name) == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_version(const char *word)
{
    return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

struct invocation {
    const struct command *command;
    int count; /* of the words after the command */
    char **words;
    /* like "prisma migrate status", whose exit code says whether something is pending */
    bool is_prisma_spelling;
};

static bool run_command(struct arena *arena, const struct invocation *typed, int *exit_code,
                        struct error *err)
{
    const struct command_line line = { typed->count, typed->words, environ };
    struct config config;

    if (!config_load(arena, typed->command->options, &line, &config, err))
        return false;
    if (config.is_help) {
        help_show_command(typed->command);
        return true;
    }
    log_configure((enum log_level)config.log_level, (enum log_format)config.log_format);
    config.wants_exit_code |= typed->is_prisma_spelling;
    return typed->command->run(arena, &config, exit_code, err);
}

/* "db" is a group of commands, as "migrate" is. */
static bool refuse_unknown(const struct invocation *typed, const char *name, struct error *err)
{
    bool is_group = strcmp(name, "db") == 0 && typed->count > 0 && typed->words[0][0] != '-';

    if (is_group)
        return refuse_command(name, typed->words[0], err);
    return refuse_command(typed->is_prisma_spelling ? "migrate" : NULL, name, err);
}

static bool dispatch(struct arena *arena, int argc, char **argv, int *exit_code, struct error *err)
{
    struct invocation typed = { .is_prisma_spelling = argc > 2 && strcmp(argv[1], "migrate") == 0 };

    if (typed.is_prisma_spelling) {
        argc--;
        argv++;
    }
    if (argc < 2) {
        error_set(err, ERROR_USAGE, "no command given");
        return error_hint(err,
                          "To apply what is pending: tidelock deploy. To see all commands: tidelock help");
    }
    typed.count = argc - 2;
    typed.words = argv + 2;
    if (is_help(argv[1]))
        return help_show(typed.count, typed.words, err);
    typed.command = is_version(argv[1]) ? &COMMAND_VERSION : command_find(argv[1]);
    if (typed.command == NULL)
        return refuse_unknown(&typed, argv[1], err);
    return run_command(arena, &typed, exit_code, err);
}

int main(int argc, char **argv)
{
    auto_arena struct arena *arena = NULL;
    struct error err = { .class = ERROR_NONE };
    int exit_code = EXIT_YES;

    descriptors_complete();
    signals_install();
    /* Results and log lines keep their order, even when both go to one file. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    /* A core file of this process would contain the database's password. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    trust_ignore_machine();
    http_introduce(VERSION_AGENT);
    arena = arena_new();
    if (!dispatch(arena, argc, argv, &exit_code, &err)) {
        (void)fflush(stdout);
        print_failure(&err);
        exit_code = exit_code_of(&err);
    }
    if (fflush(stdout) != 0 && exit_code == EXIT_YES)
        exit_code = EXIT_NO;
    password_close();
    http_close();
    redact_clear();
    return exit_code;
}

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
#include "config/flags.h"
#include "config/load.h"
#include "config/options.h"
#include "config/secret.h"
#include "config/trust.h"
#include "credentials/password.h"
#include "exits.h"
#include "help.h"
#include "http/request.h"
#include "print.h"
#include "prisma_diff.h"
#include "reporting.h"
#include "strangers.h"
#include "version.h"

enum { COMMANDS_MOST = 32 };

/* Nobody knows the command `name`; it was typed behind `before`, or NULL. */
static bool refuse_command(const char *before, const char *name, struct error *err)
{
    const char *names[COMMANDS_MOST];
    size_t count = 0;
    const char *nearest;
    const char *advice = stranger_advice(before, name);

    if (!secret_check_word(name, err))
        return false;
    for (; COMMANDS[count] != NULL; count++)
        names[count] = COMMANDS[count]->name;
    nearest = names_nearest(names, count, name);
    error_set(err, ERROR_USAGE, "unknown command \"%s%s%s\"", before == NULL ? "" : before,
              before == NULL ? "" : " ", name);
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

/* A lone -v is that of Prisma and Flyway; in front of a command or behind it, it asks for more lines. */
static bool is_version(char *const *words, int count)
{
    return strcmp(words[0], "--version") == 0 || strcmp(words[0], "-V") == 0 ||
           (strcmp(words[0], "-v") == 0 && count == 1);
}

struct invocation {
    char *name; /* of the command */
    const struct command *command;
    int count; /* of its words */
    char **words;
    /* like "prisma migrate status", whose exit code says whether something is pending */
    bool is_prisma_spelling;
};

static bool run_command(struct arena *arena, const struct invocation *typed, int *exit_code,
                        struct error *err)
{
    const struct command_line line = { typed->count, typed->words, environ };
    struct config config;
    bool is_done;

    reporting_open();
    if (!config_load(arena, typed->command->options, &line, &config, err))
        return false;
    if (config.is_help) {
        help_show_command(typed->command);
        return true;
    }
    if (config.environment != NULL)
        environ = config.environment;
    config.wants_exit_code |= typed->is_prisma_spelling && typed->command != &COMMAND_DIFF;
    config.wants_json |=
        config.log_format == LOG_JSON && (option_named("json")->commands & typed->command->options) != 0;
    if (config.is_quiet)
        print_configure(PRINT_TO_NOBODY);
    else if (config.log_format != LOG_TEXT && (typed->command->options & (FOR_DATABASE | FOR_READY)) != 0)
        print_configure(PRINT_TO_LOG);
    if ((typed->command->options & (FOR_LEADERS | FOR_GATES | FOR_READY)) != 0 && !config.is_dry_run)
        print_is_optional();
    is_done = typed->command->run(arena, &config, exit_code, err);
    if ((typed->command->options & FOR_DATABASE) != 0)
        reporting_close(typed->command->name, &config, *exit_code, is_done ? NULL : err);
    return is_done;
}

/* "db" is a group of commands, as "migrate" is. */
static bool refuse_unknown(const struct invocation *typed, struct error *err)
{
    bool is_group = strcmp(typed->name, "db") == 0 && typed->count > 0 && typed->words[0][0] != '-';

    if (is_group)
        return refuse_command(typed->name, typed->words[0], err);
    return refuse_command(typed->is_prisma_spelling ? "migrate" : NULL, typed->name, err);
}

/* Options may stand before the command, too: its words are those, and then what follows it. */
static struct invocation read_words(struct arena *arena, int count, char **words, int before)
{
    struct invocation typed = { .words = arena_alloc(arena, (size_t)count + 1, sizeof *typed.words) };
    int command = before;

    typed.is_prisma_spelling = before + 1 < count && strcmp(words[before], "migrate") == 0;
    command += typed.is_prisma_spelling;
    typed.name = words[command];
    for (int i = 0; i < count; i++) {
        if (i < before || i > command)
            typed.words[typed.count++] = words[i];
    }
    return typed;
}

/* `words` are those after the program's name. Whatever is wrong with them is a record, too, where they ask
 * for records. */
static bool dispatch(struct arena *arena, int count, char **words, int *exit_code, struct error *err)
{
    const struct command_line line = { count, words, environ };
    struct invocation typed;
    int before = count > 0 && (is_help(words[0]) || is_version(words, count))
                     ? 0
                     : config_options_before(count, words);

    flags_choose_log_format(&line);
    if (before == count) {
        error_set(err, ERROR_USAGE, "no command given");
        return error_hint(err,
                          "To apply what is pending: tidelock deploy. To see all commands: tidelock help");
    }
    typed = read_words(arena, count, words, before);
    if (is_help(typed.name))
        return help_show(typed.count, typed.words, err);
    typed.command = is_version(&typed.name, count) ? &COMMAND_VERSION : command_find(typed.name);
    /* It is sqlx's word for what deploy does here. */
    if (typed.is_prisma_spelling && typed.command == &COMMAND_RUN)
        typed.command = NULL;
    if (typed.command == NULL)
        return refuse_unknown(&typed, err);
    if (typed.is_prisma_spelling && typed.command == &COMMAND_DIFF &&
        !prisma_diff_rewrite(arena, &typed.count, &typed.words, err))
        return false;
    return run_command(arena, &typed, exit_code, err);
}

int main(int argc, char **argv)
{
    auto_arena struct arena *arena = NULL;
    struct error err = { .class = ERROR_NONE };
    struct error ignored;
    int exit_code = EXIT_YES;
    bool is_done;

    descriptors_complete();
    signals_install();
    /* Results and log lines keep their order, even when both go to one file. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    /* A core file of this process would contain the database's password. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    trust_ignore_machine();
    http_introduce(VERSION_AGENT);
    arena = arena_new();
    is_done = dispatch(arena, argc > 0 ? argc - 1 : 0, argv + 1, &exit_code, &err);
    /* What the command failed with says more than that its output was lost as well. */
    is_done = print_end(is_done ? &err : &ignored) && is_done;
    if (!is_done) {
        print_failure(&err);
        exit_code = exit_code_of(&err);
    }
    password_close();
    http_close();
    redact_clear();
    return exit_code;
}

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/signals.h"
#include "command.h"
#include "config/load.h"
#include "config/options.h"
#include "config/trust.h"
#include "credentials/password.h"
#include "exits.h"
#include "help.h"
#include "http/request.h"
#include "print.h"

enum { HELP_MOST = 64 * 1024, COMMANDS_MOST = 32 };

static bool refuse_command(const char *name, struct error *err)
{
    const char *names[COMMANDS_MOST] = { "help" };
    size_t count = 1;
    const char *nearest;

    while (COMMANDS[count - 1] != NULL) {
        names[count] = COMMANDS[count - 1]->name;
        count++;
    }
    nearest = names_nearest(names, count, name);
    error_set(err, ERROR_USAGE, "there is no command \"%s\"", name);
    if (nearest != NULL)
        return error_hint(err, "Did you mean: tidelock %s", nearest);
    return error_hint(err, "The commands: tidelock help");
}

static bool show_help(int argc, char **argv, struct error *err)
{
    auto_text struct text out = text_init(HELP_MOST);

    if (argc < 1) {
        help_all(&out);
    } else if (strcmp(argv[0], "--options") == 0) {
        options_reference(&out);
    } else {
        const struct command *command = command_find(argv[0]);

        if (command == NULL)
            return refuse_command(argv[0], err);
        help_command(command, &out);
    }
    print_text(out.at);
    return true;
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* How it was called. */
struct spelling {
    bool is_prisma;
    int argc; /* from its name on */
    char **argv;
};

/* "prisma migrate status" says by its exit code whether something is pending; under that spelling so do we.
 */
static bool run_command(struct arena *arena, const struct command *command, const struct spelling *spelling,
                        int *exit_code, struct error *err)
{
    const struct command_line line = { spelling->argc - 1, spelling->argv + 1, environ };
    struct config config;
    char *name = spelling->argv[0];

    if (!config_load(arena, command->options, &line, &config, err))
        return false;
    if (config.is_help)
        return show_help(1, &name, err);
    log_configure((enum log_level)config.log_level, (enum log_format)config.log_format);
    config.wants_exit_code |= spelling->is_prisma;
    return command->run(arena, &config, exit_code, err);
}

static bool dispatch(struct arena *arena, int argc, char **argv, int *exit_code, struct error *err)
{
    bool is_prisma_spelling = argc > 2 && strcmp(argv[1], "migrate") == 0;
    const struct command *command;

    if (is_prisma_spelling) {
        argc--;
        argv++;
    }
    if (argc < 2) {
        error_set(err, ERROR_USAGE, "no command given");
        return error_hint(err, "To apply what is pending: tidelock deploy. The commands: tidelock help");
    }
    if (is_help(argv[1]))
        return show_help(argc - 2, argv + 2, err);
    command = command_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (command == NULL)
        return refuse_command(argv[1], err);
    return run_command(arena, command, &(const struct spelling) { is_prisma_spelling, argc - 1, argv + 1 },
                       exit_code, err);
}

int main(int argc, char **argv)
{
    auto_arena struct arena *arena = NULL;
    struct error err = { .class = ERROR_NONE };
    int exit_code = EXIT_YES;

    signals_install();
    /* Results and log lines come in the order in which they were said, even when both go to one file. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    /* A core file of this process would hold the database's password. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    trust_ignore_machine();
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

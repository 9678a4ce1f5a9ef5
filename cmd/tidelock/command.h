/*
 * A subcommand: what the user types first.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/config.h"

/* What a command's arguments are, for completion. */
enum words {
    WORDS_NONE,
    WORDS_PROGRAM, /* a program and its arguments */
    WORDS_FOLDER,
    WORDS_SHELL,
    WORDS_TOPIC, /* a command, an option or "directives" */
};

struct command {
    const char *name;
    const char *usage;   /* what follows the name in help's first line */
    const char *summary; /* what it does: lower case, no full stop */
    const char *about;   /* the same in sentences, one paragraph */
    const char *example; /* a line for a shell */
    unsigned options;    /* its FOR_… bit of config/options.h */
    enum words words;
    /* Runs it. *exit_code is EXIT_YES unless set otherwise. `arena` lives until the process ends. */
    bool (*run)(struct arena *arena, const struct config *config, int *exit_code, struct error *err);
};

/* In the order of help; ends with a NULL name. */
extern const struct command *const COMMANDS[];

extern const struct command COMMAND_DEPLOY;
extern const struct command COMMAND_RUN;
extern const struct command COMMAND_WAIT;
extern const struct command COMMAND_READY;
extern const struct command COMMAND_STATUS;
extern const struct command COMMAND_PLAN;
extern const struct command COMMAND_SNAPSHOT;
extern const struct command COMMAND_DIFF;
extern const struct command COMMAND_DRIFT;
extern const struct command COMMAND_VERIFY;
extern const struct command COMMAND_ROLLBACK;
extern const struct command COMMAND_RESOLVE;
extern const struct command COMMAND_BASELINE;
extern const struct command COMMAND_BUDGET;
extern const struct command COMMAND_INSTALL;
extern const struct command COMMAND_VERSION;
extern const struct command COMMAND_HELP;
extern const struct command COMMAND_COMPLETION;
extern const struct command COMMAND_MANUAL;

const struct command *command_find(const char *name);

/* The names of the commands whose bits are in `bits`. */
void commands_add_names(unsigned bits, const char *between, struct text *out);

#endif

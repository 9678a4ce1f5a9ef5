/*
 * A subcommand: what the user types first.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"

struct command {
    const char *name;
    const char *usage;   /* what follows the name in help's first line */
    const char *summary; /* one line */
    const char *about;   /* a paragraph or two for its own help */
    unsigned options;    /* its FOR_… bit of config/options.h */
    /* Does it. *exit_code is EXIT_YES unless set otherwise. `arena` lives until the process ends. */
    bool (*run)(struct arena *arena, const struct config *config, int *exit_code, struct error *err);
};

/* In the order of help; ends with a NULL name. */
extern const struct command *const COMMANDS[];

extern const struct command COMMAND_DEPLOY;
extern const struct command COMMAND_RUN;
extern const struct command COMMAND_WAIT;
extern const struct command COMMAND_READY;
extern const struct command COMMAND_STATUS;
extern const struct command COMMAND_RESOLVE;
extern const struct command COMMAND_BASELINE;
extern const struct command COMMAND_BUDGET;
extern const struct command COMMAND_INSTALL;
extern const struct command COMMAND_VERSION;

const struct command *command_find(const char *name);

#endif

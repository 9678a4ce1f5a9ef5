#include "command.h"
#include "config/options.h"
#include "print.h"

#ifndef TIDELOCK_VERSION
#define TIDELOCK_VERSION "unknown"
#endif

static bool version_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    (void)arena;
    (void)config;
    (void)exit_code;
    (void)err;
    print_line("tidelock %s", TIDELOCK_VERSION);
    return true;
}

const struct command COMMAND_VERSION = {
    .name = "version",
    .usage = "",
    .summary = "print the version",
    .about = "Prints the version and nothing else.",
    .options = FOR_NONE,
    .run = version_run,
};

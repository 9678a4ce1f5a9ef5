#include <stddef.h>
#include <string.h>

#include "command.h"

const struct command *const COMMANDS[] = {
    &COMMAND_DEPLOY,   &COMMAND_RUN,        &COMMAND_WAIT,     &COMMAND_READY,   &COMMAND_STATUS,
    &COMMAND_PLAN,     &COMMAND_SNAPSHOT,   &COMMAND_DIFF,     &COMMAND_DRIFT,   &COMMAND_VERIFY,
    &COMMAND_ROLLBACK, &COMMAND_RESOLVE,    &COMMAND_BASELINE, &COMMAND_BUDGET,  &COMMAND_INSTALL,
    &COMMAND_HELP,     &COMMAND_COMPLETION, &COMMAND_MANUAL,   &COMMAND_VERSION, NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        if (strcmp(COMMANDS[i]->name, name) == 0)
            return COMMANDS[i];
    }
    return NULL;
}

void commands_add_names(unsigned bits, const char *between, struct text *out)
{
    const char *before = "";

    for (size_t i = 0; COMMANDS[i] != NULL; i++) {
        if ((COMMANDS[i]->options & bits) == 0)
            continue;
        text_add_format(out, "%s%s", before, COMMANDS[i]->name);
        before = between;
    }
}

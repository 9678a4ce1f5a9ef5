/*
 * Help: made from the commands, the options and the exit codes.
 */
#ifndef HELP_H
#define HELP_H

#include "base/text.h"
#include "command.h"

/* The commands, the options they share, and the exit codes. */
void help_all(struct text *out);

/* One command with its options. */
void help_command(const struct command *command, struct text *out);

#endif

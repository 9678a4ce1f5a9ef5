/*
 * Help for a terminal: made from the commands, the options, the directives and the exit codes. No line is
 * wider than 80 columns.
 */
#ifndef HELP_H
#define HELP_H

#include "base/text.h"
#include "command.h"
#include "config/options.h"
#include "dialect/dialect.h"

/* What the program is for: a sentence. */
extern const char PURPOSE[];

/* The commands, and where to find more help. */
void help_all(struct text *out);

/* One command: its options, the usual ones first, an example and its exit codes. */
void help_command(const struct command *command, struct text *out);

/* One option, in full. */
void help_option(const struct option *option, struct text *out);

/* What a script can ask for. */
void help_directives(struct text *out);

/* Where those who come from another tool find more. */
void help_tool(const struct dialect *dialect, struct text *out);

/* Prints the help of a command. */
void help_show_command(const struct command *command);

/* Answers "help WORD...": each word is a command, an option in any of its spellings, a
 * tool that --format names, or "directives". */
must_use bool help_show(int count, char **words, struct error *err);

#endif

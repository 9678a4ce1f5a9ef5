/*
 * The flags of a command line.
 */
#ifndef CONFIG_FLAGS_H
#define CONFIG_FLAGS_H

#include "base/error.h"
#include "config/internal.h"
#include "config/load.h"

/* How many of these words are options, with their values, before the first other word. */
int config_options_before(int count, char *const *words);

/* Configures the log as its flag or variable says; to be called before anything else looks at the words, so
 * that even what is said about these is a record where the log is for machines. */
void flags_choose_log_format(const struct command_line *line);

/* Takes the flags, and the words that are none, into the configuration. Flags may stand behind words, but not
 * behind CMD, which has its own, nor behind "--". ERROR_USAGE. */
must_use bool flags_load(struct load *load, int count, char **words, struct error *err);

#endif

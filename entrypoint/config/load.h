/*
 * Loading the configuration: flags before environment before the file of --env-file before tidelock.yaml
 * before defaults.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"

/* What a command is called with. */
struct command_line {
    int count; /* of the words behind its name */
    char **words;
    char *const *environment;
};

/* Merges everything for the command whose bit of option_commands is `command`. `arguments` are the words
 * after the command's name; secrets among them are wiped there. Everything lives in the arena; every secret
 * is registered with the redactor before anything can print it. ERROR_USAGE names the origin of what is
 * wrong. With --help only is_help is set. */
must_use bool config_load(struct arena *arena, unsigned command, const struct command_line *line,
                          struct config *out, struct error *err);

#endif

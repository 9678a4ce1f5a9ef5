/*
 * Variables of the environment that are no option's own: those that look like ours, and other tools'.
 */
#ifndef CONFIG_VARIABLE_H
#define CONFIG_VARIABLE_H

#include "config/config.h"

/* Warns of each TIDELOCK_… variable that no option knows: a misspelt one would silently have no effect. */
void variable_warn_unknown(char *const *environment);

/* The value of another tool's variable, in what --env-file adds, too: NULL when it is unset or empty, or has
 * no name. */
const char *variable_of_tool(const struct config *config, const char *name);

#endif

/*
 * Variables of the environment that look like ours.
 */
#ifndef CONFIG_VARIABLE_H
#define CONFIG_VARIABLE_H

/* Warns of each TIDELOCK_… variable that no option knows: a misspelt one would silently have no effect. */
void variable_warn_unknown(char *const *environment);

#endif

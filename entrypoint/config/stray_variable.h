/*
 * Variables that look like ours and are none: a misspelt one would silently have no effect.
 */
#ifndef CONFIG_STRAY_VARIABLE_H
#define CONFIG_STRAY_VARIABLE_H

/* Warns of each; `environment` ends with NULL. */
void stray_variables_warn(char *const *environment);

#endif

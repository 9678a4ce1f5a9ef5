/*
 * Variables of the environment.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

/* Its value; NULL when it is unset or empty: compose files and charts use both for "not set". */
const char *env_value(const char *name);

/* The same in a list of entries that ends with NULL. Where a name is there twice, the first that is not empty
 * counts. */
const char *env_find(char *const *environment, const char *name);

#endif

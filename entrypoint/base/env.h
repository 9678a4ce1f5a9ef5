/*
 * Variables of the environment.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

/* Its value; NULL when it is unset or empty: compose files and charts use both for "not set". */
const char *env_value(const char *name);

#endif

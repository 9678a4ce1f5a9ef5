/*
 * Variables of the environment.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

/* Its value; NULL when it is unset or empty, which compose files and charts mean by the same. */
const char *env_value(const char *name);

#endif

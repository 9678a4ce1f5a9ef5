/*
 * Variables of the environment.
 */
#ifndef BASE_VARIABLE_H
#define BASE_VARIABLE_H

/* Its value; NULL when it is unset or empty, which compose files and charts mean by the same. */
const char *variable_value(const char *name);

#endif

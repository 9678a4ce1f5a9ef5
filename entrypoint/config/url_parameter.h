/*
 * Setting a parameter of a URL without touching the rest of it. Pure.
 */
#ifndef CONFIG_URL_PARAMETER_H
#define CONFIG_URL_PARAMETER_H

#include "base/memory.h"

/* The same URL with a parameter set: it replaces one of that name, or is appended. `name` and `value` are
 * plain letters and digits. */
const char *url_with_parameter(struct arena *arena, const char *url, const char *name, const char *value);

#endif

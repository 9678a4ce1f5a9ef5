/*
 * Setting a parameter of a URL without touching the rest of it. Pure.
 */
#ifndef CONFIG_URL_PARAMETER_H
#define CONFIG_URL_PARAMETER_H

#include <stdbool.h>

#include "base/memory.h"

/* Whether the URL has a parameter of that name. */
bool url_has_parameter(struct arena *arena, const char *url, const char *name);

/* The same URL with the parameter NAME=VALUE (letters, digits and what else needs no escape): it replaces the
 * first of that name, and the others of that name go, because readers differ in which of them counts; or it
 * is appended, before a fragment. */
const char *url_with_parameter(struct arena *arena, const char *url, const char *pair);

#endif

/*
 * Setting a parameter of a URL without touching the rest of it. Pure.
 */
#ifndef CONFIG_URL_PARAMETER_H
#define CONFIG_URL_PARAMETER_H

#include "base/memory.h"

/* The same URL with the parameter NAME=VALUE (plain letters and digits): it replaces the first of that name,
 * and the others of that name go, because readers differ in which of them counts; or it is appended, before a
 * fragment. */
const char *url_with_parameter(struct arena *arena, const char *url, const char *pair);

#endif

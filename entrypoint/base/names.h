/*
 * Enums and their names: a table of texts indexed by value.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include <stddef.h>

#include "base/text.h"

/* The index of `name` in `names[0..count)`, or -1. */
int names_find(const char *const *names, size_t count, struct slice name);

/* How many single-character edits (insert, delete, replace, swap of neighbours) turn one name into the other;
 * for "did you mean". Looks at the first 64 bytes of each. */
size_t names_distance(const char *one, const char *other);

/* The name in `names[0..count)` that `name` was probably meant to be, or NULL when none is close. */
const char *names_nearest(const char *const *names, size_t count, const char *name);

#endif

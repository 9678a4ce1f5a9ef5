/*
 * The names of migrations in Drizzle from 1.0 on: directories that begin with the time of their generation.
 */
#ifndef DIALECT_DRIZZLE_FOLDER_H
#define DIALECT_DRIZZLE_FOLDER_H

#include <stdbool.h>

#include "dialect/dialect.h"

/* Whether a name begins with a time, YYYYMMDDhhmmss. */
bool drizzle_folder_has_time(const char *name);

/* That time in milliseconds since 1970, in decimal, as JavaScript's Date.UTC() computes it. */
void drizzle_folder_millis(const char *name, char out[KEY_SIZE]);

#endif

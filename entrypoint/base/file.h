/*
 * Files: read whole, or not at all.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* Reads a whole regular file (a link to one, a pipe or a socket-less device counts too) into `out`, which the
 * caller has made with text_init(): its bound is the largest file accepted. ERROR_USAGE, with the path, when
 * it can't be opened or read, is a directory, or is larger. */
must_use bool file_read(const char *path, struct text *out, struct error *err);

/* Copies a file to `target` with permissions `mode`: into a new file beside it, which then takes its name, so
 * that nobody ever sees half of it. ERROR_USAGE; nothing is left behind. */
must_use bool file_copy(const char *source, const char *target, unsigned mode, struct error *err);

/* Whether something of that name can be seen; says nothing about its kind. */
bool file_exists(const char *path);

#endif

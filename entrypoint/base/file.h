/*
 * Files: read whole, or not at all.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* Reads a whole file (regular, a link to one, a pipe or a device, but no socket) into `out`, which the caller
 * has made with text_init(): its bound is the largest file accepted. ERROR_USAGE, with the path, when it
 * cannot be opened or read, is a directory, or is larger. */
must_use bool file_read(const char *path, struct text *out, struct error *err);

/* Copies a file to `target` with permissions `mode`: into a new file beside it, which is then renamed, so
 * that nobody ever sees half of it. ERROR_USAGE; nothing is left behind. */
must_use bool file_copy(const char *source, const char *target, unsigned mode, struct error *err);

/* Replaces a file's content as a whole: written beside it as NAME.PID, then renamed. A reader sees the old or
 * the new content, never a part. Does not wait for the disk (no fsync), so that a migration does not have to.
 * ERROR_USAGE; nothing is left behind. */
must_use bool file_replace(const char *path, struct slice bytes, unsigned mode, struct error *err);

/* Overwrites an existing file in place. ERROR_USAGE. */
must_use bool file_overwrite(const char *path, struct slice bytes, struct error *err);

/* Whether something of that name exists, whatever its kind. */
bool file_exists(const char *path);

#endif

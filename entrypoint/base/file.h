/*
 * Files: read whole, or not at all.
 *
 * A name that a user gives may stand for anything. Nothing here waits for whoever is at the other end of a
 * pipe or a device longer than is said, or after a signal, and nothing replaces or removes what is no file.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* Reads a whole regular file (or a link to one) into `out`, which the caller has made with text_init(): its
 * bound is the largest file accepted. ERROR_USAGE, with the path, when it cannot be opened or read, is
 * something else, or is larger. */
must_use bool file_read(const char *path, struct text *out, struct error *err);

/* A file below a directory that is open, of less than `size` bytes: how many it has; 0 when it is empty,
 * larger, or cannot be read. As fast as the system lets: nobody asks what kind of a file it is, or whether
 * more would have come. What is not just as the caller expects must be read with file_read(). */
must_use size_t file_read_small(int directory, const char *path, char *out, size_t size);

/* The same as the first for its beginning: at most as much as `out` can hold. */
must_use bool file_read_head(const char *path, struct text *out, struct error *err);

/* The same as the first for what is read once and may therefore be a pipe (a shell's <(command), /dev/stdin)
 * or a character device as well. Waits at most 10 s for all of it. Also ERROR_INTERRUPTED. */
must_use bool file_read_stream(const char *path, struct text *out, struct error *err);

/* Copies a file to `target` with permissions `mode`: into a new file beside it, which is then renamed, so
 * that nobody ever sees half of it. ERROR_USAGE; nothing is left behind. */
must_use bool file_copy(const char *source, const char *target, unsigned mode, struct error *err);

/* Replaces a file's content as a whole: written beside it under a name of its own, then renamed. A reader
 * sees the old or the new content, never a part, however many write. Does not wait for the disk (no fsync),
 * so that a migration does not have to. ERROR_USAGE, also when what is there is no file; nothing is left
 * behind. */
must_use bool file_replace(const char *path, struct slice bytes, unsigned mode, struct error *err);

/* Overwrites an existing file in place; a pipe that somebody reads, and a character device, get the bytes.
 * ERROR_USAGE. */
must_use bool file_overwrite(const char *path, struct slice bytes, struct error *err);

/* Removes a file or link, if it is there. ERROR_USAGE, also when it is, or leads to, something else, which
 * stays. */
must_use bool file_remove(const char *path, struct error *err);

/* Refuses what is there and is no file, for a library that would open it and wait: ERROR_USAGE, with the
 * path. What is not there, and /dev/null, which keeps nobody waiting, is left to the library. */
must_use bool file_check_kind(const char *path, struct error *err);

/* Whether something of that name exists, whatever its kind. */
bool file_exists(const char *path);

#endif

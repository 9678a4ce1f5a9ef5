#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { FILE_CHUNK = 64 * 1024 };

#define auto_descriptor __attribute__((cleanup(descriptor_close_at)))

static void descriptor_close_at(const int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

static bool read_error(struct error *err, const char *path, const char *reason)
{
    return error_set(err, ERROR_USAGE, "could not read file \"%s\": %s", path, reason);
}

/* Room in one piece where the size is known: a 50 MB script must not be held twice. */
static bool file_reserve(const struct stat *status, struct text *out)
{
    if (!S_ISREG(status->st_mode) || status->st_size <= 0)
        return true;
    return text_reserve(out, (size_t)status->st_size);
}

bool file_read(const char *path, struct text *out, struct error *err)
{
    auto_descriptor int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char chunk[FILE_CHUNK];
    ssize_t got;

    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return read_error(err, path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return read_error(err, path, strerror(EISDIR));
    if (!file_reserve(&status, out))
        return error_set(err, ERROR_USAGE, "file \"%s\" is larger than %zu bytes", path, out->most);
    while ((got = read(descriptor, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return read_error(err, path, strerror(errno));
        text_add(out, chunk, (size_t)got);
        if (out->has_overflowed)
            return error_set(err, ERROR_USAGE, "file \"%s\" is larger than %zu bytes", path, out->most);
    }
    if (out->is_secret)
        memory_wipe(chunk, sizeof chunk);
    return true;
}

bool file_exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0;
}

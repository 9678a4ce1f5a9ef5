#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* Allocates at once if the size is known: a 50 MB script must not be in memory twice. */
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

static bool write_all(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(descriptor, bytes, length);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            bytes += done;
            length -= (size_t)done;
        }
    }
    return true;
}

static bool copy_bytes(int from, int to)
{
    char chunk[FILE_CHUNK];

    for (;;) {
        ssize_t got = read(from, chunk, sizeof chunk);

        if (got == 0)
            return true;
        if ((got < 0 && errno != EINTR) || (got > 0 && !write_all(to, chunk, (size_t)got)))
            return false;
    }
}

static bool write_error(struct error *err, const char *path, int reason)
{
    return error_set(err, ERROR_USAGE, "could not write file \"%s\": %s", path, strerror(reason));
}

/* What a new file is filled from: another file, or bytes. */
struct content {
    int from; /* negative: the bytes */
    struct slice bytes;
    bool is_lasting; /* must survive a crash of the machine, and may wait for the disk */
};

static bool fill(const struct content *content, const char *path, unsigned mode)
{
    auto_descriptor int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (to < 0)
        return false;
    if (content->from >= 0 ? !copy_bytes(content->from, to)
                           : !write_all(to, content->bytes.at, content->bytes.length))
        return false;
    /* The permissions come last: an incomplete file cannot be executed. */
    return fchmod(to, mode) == 0 && (!content->is_lasting || fsync(to) == 0);
}

static bool replace(const char *path, const struct content *content, unsigned mode, struct error *err)
{
    auto_text struct text beside = text_init(strlen(path) + 32);
    int reason;

    text_add_format(&beside, "%s.%ld", path, (long)getpid());
    /* In a container, every first process has pid 1: a file of that name was left by one that was killed. */
    (void)unlink(beside.at);
    if (fill(content, beside.at, mode) && rename(beside.at, path) == 0)
        return true;
    reason = errno;
    (void)unlink(beside.at);
    return write_error(err, path, reason);
}

bool file_copy(const char *source, const char *target, unsigned mode, struct error *err)
{
    auto_descriptor int from = open(source, O_RDONLY | O_CLOEXEC);
    const struct content content = { .from = from, .is_lasting = true };

    if (from < 0)
        return read_error(err, source, strerror(errno));
    return replace(target, &content, mode, err);
}

bool file_replace(const char *path, struct slice bytes, unsigned mode, struct error *err)
{
    const struct content content = { .from = -1, .bytes = bytes };

    return replace(path, &content, mode, err);
}

bool file_overwrite(const char *path, struct slice bytes, struct error *err)
{
    auto_descriptor int to = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    return (to >= 0 && write_all(to, bytes.at, bytes.length)) || write_error(err, path, errno);
}

bool file_exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0;
}

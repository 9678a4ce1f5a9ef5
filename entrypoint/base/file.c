#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/signals.h"

enum { FILE_CHUNK = 16 * 1024, STREAM_WAIT_MS = 10 * 1000 };

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

/* What it is instead of a file; NULL for a file. */
static const char *other_kind(mode_t mode)
{
    static const struct {
        mode_t kind;
        const char *name;
    } kinds[] = {
        { S_IFIFO, "not a file but a named pipe" },   { S_IFCHR, "not a file but a character device" },
        { S_IFBLK, "not a file but a block device" }, { S_IFSOCK, "not a file but a socket" },
        { S_IFDIR, "not a file but a directory" },
    };

    for (size_t i = 0; i < array_length(kinds); i++) {
        if ((mode & S_IFMT) == kinds[i].kind)
            return kinds[i].name;
    }
    return NULL;
}

/* Opening must not wait either: for a writer of a pipe, for a device. */
static int open_at_once(int directory, const char *path)
{
    /* Not open(): musl's asks the kernel a second time for O_CLOEXEC. */
    return openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int open_source(const char *path, bool may_be_stream, struct stat *status, struct error *err)
{
    int descriptor = open_at_once(AT_FDCWD, path);
    const char *other;

    if (descriptor < 0 || fstat(descriptor, status) != 0) {
        read_error(err, path, strerror(errno));
        descriptor_close_at(&descriptor);
        return -1;
    }
    other = other_kind(status->st_mode);
    if (other == NULL || (may_be_stream && (S_ISFIFO(status->st_mode) || S_ISCHR(status->st_mode))))
        return descriptor;
    read_error(err, path, other);
    descriptor_close_at(&descriptor);
    return -1;
}

/* Until there is something to read, or the last writer has gone. A pipe that nobody has opened for writing
 * yet looks like the first, not like the end of the second. */
static bool wait_readable(int descriptor, struct deadline until)
{
    struct pollfd watched[2] = { { .fd = descriptor, .events = POLLIN },
                                 { .fd = signals_descriptor(), .events = POLLIN } };

    while (watched[0].revents == 0 && signals_pending() == 0 && !deadline_passed(until))
        (void)event_loop_poll(watched, array_length(watched), deadline_left_ms(until));
    return watched[0].revents != 0;
}

/* In place: a folder may have thousands of small scripts, or one of 50 MB, which must not be in memory twice.
 * A file ends where its status says; the kernel is not asked again whether it does. */
static bool read_in_place(const char *path, int descriptor, size_t size, struct text *out, struct error *err)
{
    size_t end = out->length + size;
    ssize_t got = 1;

    if (!text_reserve(out, size))
        return error_set(err, ERROR_USAGE, "file \"%s\" is larger than %zu bytes", path, out->most);
    while (got != 0 && out->length < end) {
        got = read(descriptor, out->at + out->length, end - out->length);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return read_error(err, path, strerror(errno));
        if (got > 0)
            text_added(out, (size_t)got);
    }
    return true;
}

static bool read_all(const char *path, int descriptor, const struct stat *status, struct text *out,
                     struct error *err)
{
    struct deadline until = deadline_in(STREAM_WAIT_MS);
    bool is_stream = !S_ISREG(status->st_mode);
    char chunk[FILE_CHUNK];
    ssize_t got = 1;

    while (got != 0) {
        if (is_stream && !wait_readable(descriptor, until))
            return signals_pending() != 0 ? signals_error(err)
                                          : read_error(err, path, "nothing was written to it in time");
        got = read(descriptor, chunk, sizeof chunk);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return read_error(err, path, strerror(errno));
        if (got > 0)
            text_add(out, chunk, (size_t)got);
        if (out->has_overflowed)
            return error_set(err, ERROR_USAGE, "file \"%s\" is larger than %zu bytes", path, out->most);
    }
    if (out->is_secret)
        memory_wipe(chunk, sizeof chunk);
    return true;
}

static bool read_source(const char *path, bool may_be_stream, struct text *out, struct error *err)
{
    struct stat status;
    auto_descriptor int descriptor = open_source(path, may_be_stream, &status, err);

    if (descriptor < 0)
        return false;
    if (S_ISREG(status.st_mode) && status.st_size > 0)
        return read_in_place(path, descriptor, (size_t)status.st_size, out, err);
    return read_all(path, descriptor, &status, out, err);
}

bool file_read(const char *path, struct text *out, struct error *err)
{
    return read_source(path, false, out, err);
}

size_t file_read_small(int directory, const char *path, char *out, size_t size)
{
    auto_descriptor int descriptor = open_at_once(directory, path);
    const ssize_t got = descriptor < 0 ? -1 : read(descriptor, out, size);

    return got > 0 && (size_t)got < size ? (size_t)got : 0;
}

bool file_read_head(const char *path, struct text *out, struct error *err)
{
    struct stat status;
    auto_descriptor int descriptor = open_source(path, false, &status, err);
    char chunk[FILE_CHUNK];
    ssize_t got = 1;

    while (descriptor >= 0 && got != 0 && out->length < out->most) {
        const size_t left = out->most - out->length;

        got = read(descriptor, chunk, left < sizeof chunk ? left : sizeof chunk);
        if (got < 0 && errno != EINTR)
            return read_error(err, path, strerror(errno));
        if (got > 0)
            text_add(out, chunk, (size_t)got);
    }
    return descriptor >= 0;
}

bool file_read_stream(const char *path, struct text *out, struct error *err)
{
    return read_source(path, true, out, err);
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

/* Beside it under a name that nobody else takes: in containers that share a volume, every process has pid 1.
 */
static bool replace(const char *path, const struct content *content, unsigned mode, struct error *err)
{
    auto_text struct text beside = text_init(strlen(path) + 32);
    struct stat status;
    int reason;

    if (stat(path, &status) == 0 && other_kind(status.st_mode) != NULL)
        return error_set(err, ERROR_USAGE, "could not write file \"%s\": %s", path,
                         other_kind(status.st_mode));
    text_add_format(&beside, "%s.%016llx", path, (unsigned long long)random_below(UINT64_MAX));
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
    auto_descriptor int to = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    bool is_file;

    if (to < 0 || fstat(to, &status) != 0)
        return errno == ENXIO
                   ? error_set(err, ERROR_USAGE, "could not write file \"%s\": nobody reads from it", path)
                   : write_error(err, path, errno);
    is_file = S_ISREG(status.st_mode);
    if (!is_file && !S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
        return error_set(err, ERROR_USAGE, "could not write file \"%s\": %s", path,
                         other_kind(status.st_mode));
    if (is_file && ftruncate(to, 0) != 0)
        return write_error(err, path, errno);
    return write_all(to, bytes.at, bytes.length) || write_error(err, path, errno);
}

bool file_remove(const char *path, struct error *err)
{
    struct stat status;
    const char *other = stat(path, &status) == 0 ? other_kind(status.st_mode) : NULL;

    if (other != NULL)
        return error_set(err, ERROR_USAGE, "could not remove file \"%s\": %s", path, other);
    return unlink(path) == 0 || errno == ENOENT ||
           error_set(err, ERROR_USAGE, "could not remove file \"%s\": %s", path, strerror(errno));
}

bool file_check_kind(const char *path, struct error *err)
{
    struct stat status;

    return strcmp(path, "/dev/null") == 0 || stat(path, &status) != 0 || other_kind(status.st_mode) == NULL ||
           read_error(err, path, other_kind(status.st_mode));
}

bool file_exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0;
}

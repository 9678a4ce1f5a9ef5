#include "gate/exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/text.h"

enum { PATH_BYTES_MOST = 4096 };

/* Where a shell searches when PATH is not set. */
static const char STANDARD_PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* A folder counts as nothing, as in a shell. */
static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

static bool is_executable(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static const char *refuse(const char *name, bool is_there, struct error *err)
{
    if (is_there) {
        error_set(err, ERROR_NOT_EXECUTABLE, "no permission to execute \"%s\"", name);
        error_hint(err, "Make it executable for this user (chmod +x).");
    } else {
        error_set(err, ERROR_NOT_FOUND, "could not find command \"%s\"", name);
        error_hint(err,
                   "Write the command as it would be typed in the image: tidelock run -- CMD ARGUMENT...");
    }
    return NULL;
}

/* The program in the folder at the start of `path`, an entry of PATH; NULL = not executable. */
static const char *find_in(struct arena *arena, const char *path, const char *name, bool *is_there)
{
    auto_text struct text candidate = text_init(PATH_BYTES_MOST);
    size_t length = strcspn(path, ":");

    /* An empty entry of PATH is the working directory. */
    text_add_format(&candidate, "%.*s/%s", length == 0 ? 1 : (int)length, length == 0 ? "." : path, name);
    if (candidate.has_overflowed || !is_file(candidate.at))
        return NULL;
    *is_there = true;
    return is_executable(candidate.at) ? arena_copy(arena, candidate.at, candidate.length) : NULL;
}

const char *exec_find(struct arena *arena, const char *name, struct error *err)
{
    const char *path = getenv("PATH");
    bool is_there = false;

    if (strchr(name, '/') != NULL) {
        if (is_executable(name))
            return name;
        return refuse(name, is_file(name), err);
    }
    for (path = path == NULL ? STANDARD_PATH : path;; path++) {
        const char *found = find_in(arena, path, name, &is_there);

        if (found != NULL)
            return found;
        path += strcspn(path, ":");
        if (*path == '\0')
            return refuse(name, is_there, err);
    }
}

bool exec_replace(const char *file, char *const *words, char *const *environment, struct error *err)
{
    if (signals_pending() != 0)
        return signals_error(err);
    signals_restore();
    (void)execve(file, words, environment);
    if (errno == ENOENT) {
        error_set(err, ERROR_NOT_FOUND, "could not execute \"%s\": the interpreter that it names is missing",
                  file);
        return error_hint(err,
                          "Check its first line (#!), or the loader that it was linked for (glibc, musl).");
    }
    error_set(err, ERROR_NOT_EXECUTABLE, "could not execute \"%s\": %s", file, strerror(errno));
    return error_hint(
        err, "It must be a program for this machine, or a script whose first line names its interpreter.");
}

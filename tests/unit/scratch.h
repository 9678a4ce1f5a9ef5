/*
 * A directory of a test's own: entered by scratch_enter(), removed with everything in it by scratch_leave().
 * Both are cmocka fixtures. In between, relative paths lie in it.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char scratch_path[64];

static inline int scratch_enter(void **state)
{
    (void)state;
    (void)snprintf(scratch_path, sizeof scratch_path, "/tmp/tidelock-unit-XXXXXX");
    return mkdtemp(scratch_path) == NULL ? -1 : chdir(scratch_path);
}

static inline int scratch_remove(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline int scratch_leave(void **state)
{
    (void)state;
    if (chdir("/") != 0)
        return -1;
    return nftw(scratch_path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file whole. */
static inline void scratch_write(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void scratch_make_directory(const char *path)
{
    assert_int_equal(mkdir(path, 0755), 0);
}

#endif

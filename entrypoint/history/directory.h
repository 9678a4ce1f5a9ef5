/*
 * What a directory lists: read once, for whoever finds out whose folder it is and whoever reads that.
 */
#ifndef HISTORY_DIRECTORY_H
#define HISTORY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

struct directory_entry {
    const char *name;
    unsigned char type; /* as <dirent.h> has it; some file systems only say DT_UNKNOWN */
};

struct directory {
    struct arena *arena; /* in which all of it lives */
    const char *path;
    const struct directory_entry *items; /* sorted by bytes, without "." and ".." */
    size_t count;
    bool is_read;
};

/* Reads what it lists, unless that was done. False, with errno, when it can't be opened or read to the end:
 * then what could be read is there. */
bool directory_read(struct directory *directory);

/* The path of an entry, in the arena. */
const char *directory_join(struct arena *arena, const char *directory, const char *name);

#endif

/* Any names as directories of a folder: listed once each and sorted, or refused; the order of names is an
 * order. */
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "dialect/prisma_order.h"
#include "history/folder.h"

enum { NAMES_MOST = 6, NAME_BYTES_MOST = 250 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static void require_order(char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        require(prisma_order_compare(names[i], names[i]) == 0);
        for (size_t j = 0; j < count; j++) {
            int one = prisma_order_compare(names[i], names[j]);
            int other = prisma_order_compare(names[j], names[i]);

            require((one < 0) == (other > 0) && (one == 0) == (strcmp(names[i], names[j]) == 0));
            for (size_t k = 0; k < count; k++)
                require(!(one <= 0 && prisma_order_compare(names[j], names[k]) <= 0) ||
                        prisma_order_compare(names[i], names[k]) <= 0);
        }
    }
}

static bool make(const char *folder, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return mkdir(path, 0700) == 0;
}

static void require_folder(const char *path, size_t made)
{
    auto_arena struct arena *arena = arena_new();
    const struct directory directory = { .arena = arena, .path = path };
    struct folder folder;
    struct error err = { .class = ERROR_NONE };

    if (!folder_read(&DIALECT_PRISMA, &directory, &folder, &err)) {
        require(err.class == ERROR_REFUSED && err.message[0] != '\0');
        return;
    }
    require(folder.count == made);
    for (size_t i = 1; i < folder.count; i++)
        require(prisma_order_compare(folder.items[i - 1].name, folder.items[i].name) < 0);
    for (size_t i = 0; i < folder.count; i++)
        require(folder_find(&folder, folder.items[i].name) == &folder.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/tidelock-fuzz-XXXXXX";
    char *lines = calloc(1, size + 1);
    char *names[NAMES_MOST];
    size_t count = 0;
    size_t made = 0;
    bool is_mount = false;

    require(lines != NULL && mkdtemp(path) != NULL);
    if (size > 0)
        memcpy(lines, data, size);
    log_configure(LOG_ERROR, LOG_TEXT);
    for (char *line = strtok(lines, "\n/"); line != NULL && count < NAMES_MOST; line = strtok(NULL, "\n/")) {
        if (strlen(line) > NAME_BYTES_MOST)
            continue;
        names[count++] = line;
        made += make(path, line);
        is_mount |= strcmp(line, "..data") == 0;
    }
    require_order(names, count);
    /* "..data" is read in place of the folder itself. */
    require_folder(path, is_mount ? 0 : made);
    require(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
    free(lines);
    return 0;
}

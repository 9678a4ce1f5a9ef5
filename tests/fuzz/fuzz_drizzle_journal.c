/* Any bytes as meta/_journal.json: what is accepted names files, and every key is a number of its own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/drizzle_journal.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = { .at = (const char *)data, .length = size };
    auto_arena struct arena *arena = arena_new();
    struct error err = { .class = ERROR_NONE };
    struct indexed *entries;
    size_t count;

    if (!drizzle_journal_check("j", text, &err))
        require(err.class == ERROR_REFUSED && err.cause == CAUSE_PROVIDER);
    if (!drizzle_journal_read(arena, "j", text, &entries, &count, &err)) {
        require(err.class == ERROR_USAGE && err.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        require(entries[i].name[0] != '\0' && strchr(entries[i].name, '/') == NULL);
        require(strspn(entries[i].key, "0123456789") == strlen(entries[i].key) && entries[i].key[0] != '\0');
        for (size_t j = 0; j < i; j++)
            require(strcmp(entries[i].key, entries[j].key) != 0 &&
                    strcmp(entries[i].name, entries[j].name) != 0);
    }
    return 0;
}

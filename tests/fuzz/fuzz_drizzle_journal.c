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
    struct index found;

    if (!drizzle_journal_check("j", text, &err))
        require(err.class == ERROR_REFUSED && err.cause == CAUSE_PROVIDER);
    if (!drizzle_journal_read(arena, "j", text, &found, &err)) {
        require(err.class == ERROR_USAGE && err.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < found.count; i++) {
        require(found.items[i].name[0] != '\0' && strchr(found.items[i].name, '/') == NULL);
        require(strspn(found.items[i].key, "0123456789") == strlen(found.items[i].key) &&
                found.items[i].key[0] != '\0');
        for (size_t j = 0; j < i; j++)
            require(strcmp(found.items[i].key, found.items[j].key) != 0 &&
                    strcmp(found.items[i].name, found.items[j].name) != 0);
    }
    return 0;
}

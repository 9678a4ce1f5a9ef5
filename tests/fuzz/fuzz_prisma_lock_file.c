/* Any bytes as migration_lock.toml: accepted only when the first line with a provider names PostgreSQL. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/prisma_lock_file.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* A comment in front can't change the answer, but for the line that is blamed. */
static void require_alike_behind_a_comment(struct slice text, bool is_accepted, const struct error *err)
{
    auto_text struct text longer = text_init(text.length + 16);
    struct error moved;

    text_add_string(&longer, "# comment\n");
    text_add(&longer, text.at, text.length);
    require(prisma_lock_file_parse("lock", text_slice(&longer), &moved) == is_accepted);
    require(is_accepted || strcmp(moved.message, err->message) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = { .at = (const char *)data, .length = size };
    struct error err = { .class = ERROR_NONE };
    bool is_accepted = prisma_lock_file_parse("lock", text, &err);

    if (is_accepted) {
        require(memmem(data, size, "postgresql", 10) != NULL);
    } else {
        require(err.class == ERROR_REFUSED && strcmp(err.code, "P3019") == 0);
        require(err.place.line >= 1);
    }
    require_alike_behind_a_comment(text, is_accepted, &err);
    return 0;
}

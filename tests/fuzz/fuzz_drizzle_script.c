/* Any bytes as a script of Drizzle: only marks change, each into blanks and at most one semicolon. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/drizzle_script.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void read_script(struct text *script)
{
    struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
    struct error err = { .class = ERROR_NONE };

    require(drizzle_script_read(&(const struct script_source) { .name = "a" }, script, &wishes, &err));
    require(wishes.transaction == SCRIPT_TRANSACTION_UNSAID && !wishes.is_skipped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_text struct text script = text_init(size + 1);
    auto_text struct text again = text_init(size + 1);
    bool has_changed = false;

    text_add(&script, (const char *)data, size);
    read_script(&script);
    require(script.length == size);
    for (size_t i = 0; i < size; i++) {
        has_changed |= script.at[i] != (char)data[i];
        require(script.at[i] == (char)data[i] || script.at[i] == ' ' || script.at[i] == ';');
    }
    require(!has_changed || memmem(data, size, "--> statement-breakpoint", 24) != NULL);
    text_add(&again, script.at, script.length);
    read_script(&again);
    require(size == 0 || memcmp(again.at, script.at, size) == 0);
    return 0;
}

/* Any bytes as a script of dbmate: each byte that is left stands where it stood. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/dbmate_script.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_places(struct slice before, struct slice after)
{
    require(before.length == after.length);
    for (size_t i = 0; i < before.length; i++) {
        require(after.at[i] == before.at[i] || after.at[i] == ' ' ||
                (after.at[i] == ';' && before.at[i] == '-'));
        require((before.at[i] != '\n' && before.at[i] != '\r') || after.at[i] == before.at[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice before = { .at = (const char *)data, .length = size };
    const struct script_source source = { .path = "1_a.sql", .name = "1_a.sql" };
    struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
    struct error err = { .class = ERROR_NONE };
    auto_text struct text script = text_init(1 << 20);

    if (memchr(data, '\0', size) != NULL)
        return 0; /* script_check_text() has refused it */
    text_add(&script, before.at, before.length);
    if (dbmate_script_read(&source, &script, &wishes, &err)) {
        require(dbmate_script_is_one(before));
        require_places(before, text_slice(&script));
    } else {
        require(err.class == ERROR_CLEAN && err.place.line >= 1 && err.hint[0] != '\0');
    }
    return 0;
}

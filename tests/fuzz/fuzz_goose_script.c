/* Any bytes as a script of goose: what is left of it stands on the line where it stood. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/goose_script.h"
#include "dialect/script_lines.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const char *variable(const char *name)
{
    return name[0] == 'A' ? "value" : name[0] == 'B' ? "" : NULL;
}

/* A line is itself, nothing, or the end of a block; or it has had variables. */
static void require_lines(struct slice before, struct slice after, bool has_variables)
{
    size_t to = 0;

    for (size_t at = line_first(before); at < before.length; to++) {
        struct slice line = line_at(before, at);
        struct slice left = line_at(after, to);

        at += line.length + 1;
        to += left.length;
        if (line.length > 0 && line.at[line.length - 1] == '\r')
            line.length--;
        require(has_variables || left.length == 0 || slice_equals(left, ";") || slice_is_same(line, left));
        if (at > before.length)
            break;
        require(to < after.length && after.at[to] == '\n');
    }
    require(to >= after.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice before = { .at = (const char *)data, .length = size };
    const struct script_source source = { .path = "1_a.sql", .name = "1_a.sql", .variable = variable };
    struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
    struct error err = { .class = ERROR_NONE };
    auto_text struct text script = text_init(1 << 20);

    if (memchr(data, '\0', size) != NULL)
        return 0; /* script_check_text() has refused it */
    text_add(&script, before.at, before.length);
    if (goose_script_read(&source, &script, &wishes, &err)) {
        require(wishes.transaction != SCRIPT_TRANSACTION_UNSAID && goose_script_is_one(before));
        require_lines(before, text_slice(&script), memmem(data, size, "$", 1) != NULL);
    } else {
        require(err.class == ERROR_CLEAN && err.place.line >= 1 && err.hint[0] != '\0');
        require(slice_is_same(text_slice(&script), before));
    }
    return 0;
}

/* Any bytes as sqlx.toml: what is refused is refused for something that it says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/sqlx_config.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = { .at = (const char *)data, .length = size };
    struct error err = { .class = ERROR_NONE };

    if (sqlx_config_check(&DIALECT_SQLX, "sqlx.toml", text, &err)) {
        require(err.class == ERROR_NONE);
        return 0;
    }
    require(err.class == ERROR_USAGE || err.class == ERROR_REFUSED);
    require(memmem(data, size, "migrate", 7) != NULL);
    require(memmem(data, size, err.class == ERROR_USAGE ? "table-name" : "ignored-chars",
                   err.class == ERROR_USAGE ? 10 : 13) != NULL);
    return 0;
}

/* Any bytes as a status file: an answer with a reason, and "complete" only for a file that says so. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gate/ready.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = { .at = (const char *)data, .length = size };
    auto_text struct text why = text_init(4096);
    auto_text struct text later = text_init(4096);
    bool is_ready = ready_decide(text, 1000, 30000, &why);

    require(why.length > 0);
    require(!is_ready || memmem(data, size, "tidelock_ready", strlen("tidelock_ready")) != NULL);
    /* Time can't make ready what was not, nor take it back. */
    require(ready_decide(text, 1e9, 30000, &later) == is_ready);
    return 0;
}

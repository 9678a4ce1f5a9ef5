#include "base/stamp.h"

#include <stdio.h>
#include <string.h>

void stamp_of(const char *release, char out[STAMP_SIZE])
{
    (void)snprintf(out, STAMP_SIZE, STAMP "%.*s", (int)strcspn(release, "+"), release);
}

bool stamp_read(const char *application_name, struct slice *out)
{
    const char *blank = strrchr(application_name, ' ');
    struct slice word = slice_of(blank == NULL ? application_name : blank + 1);
    struct release ignored;

    if (!slice_starts_with(word, STAMP))
        return false;
    *out = (struct slice) { .at = word.at + strlen(STAMP), .length = word.length - strlen(STAMP) };
    return release_parse(*out, &ignored);
}

#include "base/stamp.h"

#include <stdio.h>
#include <string.h>

void stamp_of(const char *release, char out[STAMP_SIZE])
{
    (void)snprintf(out, STAMP_SIZE, STAMP "%.*s", (int)strcspn(release, "+"), release);
}

bool stamp_read(const char *application_name, struct slice *out)
{
    const char *at = application_name + strspn(application_name, " ");
    struct release ignored;

    while (*at != '\0' && strncmp(at, STAMP, strlen(STAMP)) != 0) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    if (*at == '\0')
        return false;
    at += strlen(STAMP);
    *out = (struct slice) { .at = at, .length = strcspn(at, " ") };
    return release_parse(*out, &ignored);
}

#include "base/names.h"

#include <string.h>

int names_find(const char *const *names, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] != NULL && slice_equals(name, names[i]))
            return (int)i;
    }
    return -1;
}

const char *names_nearest(const char *const *names, size_t count, const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 2; /* a difference of more than a third is not a typo */

    for (size_t i = 0; i < count; i++) {
        size_t distance = names[i] == NULL ? least : text_distance(name, names[i]);

        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

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

enum { DISTANCE_BYTES = 64 };

static size_t less(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* Restricted Damerau-Levenshtein over three rolling rows. */
size_t names_distance(const char *one, const char *other)
{
    size_t rows[3][DISTANCE_BYTES + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];
    size_t one_length = less(strlen(one), DISTANCE_BYTES);
    size_t other_length = less(strlen(other), DISTANCE_BYTES);

    for (size_t j = 0; j <= other_length; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= one_length; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= other_length; j++) {
            row[j] = less(less(above[j], row[j - 1]) + 1, above[j - 1] + (one[i - 1] != other[j - 1]));
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                row[j] = less(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[other_length];
}

const char *names_nearest(const char *const *names, size_t count, const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 2; /* a difference of more than a third is not a typo */

    for (size_t i = 0; i < count; i++) {
        size_t distance = names[i] == NULL ? least : names_distance(name, names[i]);

        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

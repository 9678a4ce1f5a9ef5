#include "dialect/golang_migrate_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/numbered.h"

static bool fits(const char *number)
{
    errno = 0;
    (void)strtoull(number, NULL, 10);
    return errno == 0;
}

/* The last word counts: "1_add.up.down.sql" is a way back. A line feed is in no name of the tool's. */
enum direction golang_migrate_direction_of(const char *name)
{
    enum direction direction = DIRECTION_NONE;

    if (!numbered_has_number(name) || !fits(name) || strchr(name, '\n') != NULL)
        return DIRECTION_NONE;
    for (const char *at = name; (at = strchr(at, '.')) != NULL; at++) {
        if (strncmp(at, ".up.", strlen(".up.")) == 0)
            direction = DIRECTION_UP;
        else if (strncmp(at, ".down.", strlen(".down.")) == 0)
            direction = DIRECTION_DOWN;
    }
    return direction;
}

struct order_key golang_migrate_order_key_of(const char *name)
{
    struct order_key key = numbered_order_key_of(name);

    if (name[0] == '-')
        key.head[0] = 0;
    else if (key.head[0] < UINT64_MAX)
        key.head[0]++;
    return key;
}
